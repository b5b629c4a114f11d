"""Runs that several tests compare with."""

import pytest
from runs import contents, run, workspace


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The folder of a complete run of the tiny configuration."""
    folder = workspace(tmp_path_factory.mktemp("finished"))
    done = run(folder)
    assert done.returncode == 0, done.stdout[-3000:]
    return folder


@pytest.fixture(scope="session")
def expected(finished):
    """What every complete run of the tiny configuration holds."""
    return contents(finished)
