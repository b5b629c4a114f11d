"""A directed random search for violations: hypothesis is told left/right of every variant and drives it up.

A handful of examples by default. In earnest, with the largest ratio of every variant and its model written to a file:

    SACREPRO_EXAMPLES=2000 SACREPRO_SEARCH=paper/search.csv pytest tests/audit/test_search.py

Unlike the adversary, it draws different state and action sizes, isolated agents, deterministic kernels and γ = 0.
"""

import os
from typing import NamedTuple

import pytest
from hypothesis import Phase, given, settings, target

from sacrepro.archive.files import write_rows
from sacrepro.study.audit.adversary import certain_ratio
from sacrepro.study.claims import ATTACKED, claim
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import holds
from strategies import cases

EXAMPLES = int(os.environ.get("SACREPRO_EXAMPLES", "6"))
#: The file that the largest ratios are written to; none by default.
SEARCH = os.environ.get("SACREPRO_SEARCH")


class Reached(NamedTuple):
    """The largest left/right that the search reached for one variant of a claim, certified from below, and where."""

    claim: str
    hypothesis: str
    examples: int
    ratio: float
    where: str
    n: int
    edges: str
    state_sizes: str
    action_sizes: str
    gamma: float


@pytest.fixture(scope="module")
def reached():
    """What each search leaves here, written when the last is done."""
    found: list[Reached] = []
    yield found
    if SEARCH:
        write_rows(SEARCH, Reached, found)


def told(name, variant, row, mdp):
    """The worst comparison of a variant with the model it was found on."""
    where = f"agent {row.agent}, κ={row.kappa} {row.case}".strip()
    edges = " ".join(f"{i}-{j}" for i, j in sorted(mdp.graph.edges))
    sizes = (" ".join(map(str, own)) for own in (mdp.state_sizes, mdp.action_sizes))
    return Reached(name, variant, EXAMPLES, certain_ratio(row), where, mdp.n, edges, *sizes, mdp.gamma)


@pytest.mark.parametrize("name", ATTACKED)
def test_no_violation_is_found(name, reached):
    chosen = claim(name)
    best = dict.fromkeys(chosen.attacked)

    @settings(max_examples=EXAMPLES)
    @given(cases(max_n=2, max_size=2) if chosen.attack.two_agents else cases(max_n=3))
    def search(case):
        rows = list(chosen.check(exact_case("random", "drawn", *case)))
        for variant in best:
            worst = max((row for row in rows if row.hypothesis == variant), key=certain_ratio, default=None)
            target(certain_ratio(worst) if worst else 0.0, label=variant or name)
            if worst and (best[variant] is None or certain_ratio(worst) > best[variant].ratio):
                best[variant] = told(name, variant, worst, case[0])
        assert all(holds(row) for row in rows)

    search()
    reached += [row for row in best.values() if row]


def test_the_search_sees_a_violation_when_there_is_one():
    """With a fifth of Lemma 3's right side some drawn model is beyond it; half would take a longer search."""

    @settings(max_examples=150, phases=[Phase.generate])
    @given(cases(max_n=3))
    def search(case):
        rows = claim("lemma3").check(exact_case("random", "drawn", *case))
        assert all(holds(row._replace(right=0.2 * row.right)) for row in rows)

    with pytest.raises(AssertionError):
        search()
