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
    made = os.environ.get("SACREPRO_SMOKE")
    return contents(made or finished_once(tmp_path_factory, "smoke", config=SMOKE, cores=1, own=True))


@pytest.fixture(scope="session")
def expected(finished):
    """What every complete run of the tiny configuration holds."""
    return contents(finished)


#: The longest tests, longest first, by words of their names.
LONGEST = (
    "test_slurm", "test_contributing", "redrawn", "every_rule_is_run", "few_cores_and_eight", "killed_at_random",
    "nothing_is_fetched_and_every_link", "another_workflow", "damaged_results_are_named", "results_without_a_record",
)  # fmt: skip


@pytest.hookimpl(trylast=True)  # after deselection
def pytest_collection_modifyitems(config, items):
    """Each process begins with one of the longest tests, so that what is left in the end is short.

    Of `count` processes each is first given an equal share of the tests in a row (pytest-xdist's worksteal); what a
    share holds besides stays in order, because neighbors share a run.
    """
    count, ordered = getattr(config, "workerinput", {}).get("workercount", 1), []
    place = {item: next((k for k, name in enumerate(LONGEST) if name in item.nodeid), len(LONGEST)) for item in items}
    rest = [item for item in items if place[item] == len(LONGEST)]
    longest = sorted((item for item in items if place[item] < len(LONGEST)), key=place.get)
    for left in range(count, 0, -1):
        head = longest[count - left :: count]
        follow = rest[: max(0, (len(items) - len(ordered)) // left - len(head))]
        del rest[: len(follow)]
        ordered += head + follow
    items[:] = ordered
