"""Runs that several tests compare with; each is made once in a session, however many processes share the tests."""

import os

import pytest
from runs import SMOKE, contents, finished_once


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The folder of a complete run of the tiny configuration; it is only read."""
    return finished_once(tmp_path_factory, "tiny")


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    """What a run of the smoke configuration holds: of the one in the folder SACREPRO_SMOKE, or one on one core."""
    return contents(os.environ.get("SACREPRO_SMOKE") or finished_once(tmp_path_factory, "smoke", config=SMOKE, cores=1))


@pytest.fixture(scope="session")
def expected(finished):
    """What every complete run of the tiny configuration holds."""
    return contents(finished)


def pytest_collection_modifyitems(items):
    """What runs on the cluster starts first: it is the longest, and mostly waits."""
    items.sort(key=lambda item: "test_slurm" not in item.nodeid)
