"""Runs that several tests compare with."""

import pytest
from runs import SMOKE, contents, run, workspace


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The folder of a complete run of the tiny configuration."""
    folder = workspace(tmp_path_factory.mktemp("finished"))
    done = run(folder)
    assert done.returncode == 0, done.stdout[-3000:]
    return folder


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    """What a run of the smoke configuration on one core holds."""
    folder = workspace(tmp_path_factory.mktemp("smoke"))
    done = run(folder, config=SMOKE, cores=1)
    assert done.returncode == 0, done.stdout[-3000:]
    return contents(folder)


@pytest.fixture(scope="session")
def expected(finished):
    """What every complete run of the tiny configuration holds."""
    return contents(finished)
