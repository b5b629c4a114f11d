"""Table sizes: exact on homogeneous models, independent of n, and exponential in the neighborhood all the same."""

import networkx as nx
import pytest
from hypothesis import given, settings

from claims.instances import BROADCAST, RELAY, random_case, uniform_case
from sacrepro.bounds.critic import complexity
from sacrepro.study.claims.complexity import T, check
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import holds, verdict
from strategies import cases


@settings(max_examples=20)
@given(cases(max_n=3))
def test_holds(case):
    assert all(holds(row) for row in check(exact_case("random", "drawn", *case)))


def own(rows, hypothesis):
    """The rows of one variant."""
    return [row for row in rows if row.hypothesis == hypothesis]


def test_tight():
    """On the relay the middle agents attain 4^{f(κ)} = 4^{min(2κ+1, n)}: κ+1 in place of κ would not be attained."""
    rows = list(check(uniform_case(RELAY)))
    assert verdict("", "", "", own(rows, "table")).verdict == "tight"
    for kappa, size in ((0, 4), (1, 64), (2, 256), (3, 256)):
        tables = [row for row in own(rows, "table") if row.kappa == kappa]
        assert max(row.left for row in tables) == tables[0].right == size
    assert all(row.left <= row.right == 256 for row in own(rows, "joint"))


def test_what_an_episode_writes():
    """Every update writes one entry: no more than T of them, and all four at κ = 0 where all four are visited."""
    rows = own(check(random_case()), "written")
    assert max(row.left for row in rows) <= T
    assert {row.left for row in rows if row.kappa == 0} <= {1.0, 2.0, 3.0, 4.0}
    assert max(row.right for row in rows) == T


@pytest.mark.parametrize("kappa", [0, 1, 2, 3])
def test_the_size_does_not_depend_on_n(kappa):
    """Paths of 10, 100 and 10 000 agents have the same largest table; the joint table has 4^n entries."""
    sizes = {complexity(nx.path_graph(n), kappa, 2, 2) for n in (10, 100, 10_000)}
    assert sizes == {4.0 ** (2 * kappa + 1)}


def test_necessary_bounded_degree():
    """On a star f(1) = n: the size is free of n only while neighborhoods are bounded."""
    for n in (4, 8, 12):
        assert complexity(nx.star_graph(n - 1), 1, 2, 2) == 4.0**n
    rows = own(check(uniform_case(BROADCAST)), "table")
    hub = next(row for row in rows if (row.agent, row.kappa) == (0, 1))
    assert hub.left == 4.0**BROADCAST.n
    smaller = [row._replace(right=complexity(nx.path_graph(BROADCAST.n), row.kappa, 2, 2)) for row in rows]
    assert not all(holds(row) for row in smaller)
