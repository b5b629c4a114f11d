"""A directed random search for violations: hypothesis is told left/right of every reading and drives it up.

A handful of examples by default; `SACREPRO_EXAMPLES=2000 pytest tests/claims/test_search.py` searches in earnest.
Unlike the adversary, it draws different state and action sizes, isolated agents, deterministic kernels and γ = 0.
"""

import os

import pytest
from hypothesis import given, settings, target

from sacrepro.claims import claim
from sacrepro.claims.adversary import SMALL, ratio
from sacrepro.claims.case import exact_case
from sacrepro.claims.comparison import holds
from sacrepro.claims.targets import TARGETS
from strategies import cases

EXAMPLES = int(os.environ.get("SACREPRO_EXAMPLES", "6"))


@pytest.mark.parametrize("name", TARGETS)
def test_no_violation_is_found(name):
    @settings(max_examples=EXAMPLES)
    @given(cases(max_n=2, max_size=2) if name in SMALL else cases(max_n=3))
    def search(case):
        rows = list(claim(name).check(exact_case("random", "drawn", *case)))
        for reading in TARGETS[name]:
            target(max((ratio(row) for row in rows if row.hypothesis == reading), default=0.0), label=reading or name)
        assert all(holds(row) for row in rows)

    search()


def test_the_search_sees_a_violation_when_there_is_one():
    """With a fifth of Lemma 3's right side some drawn model is beyond it; half would take a longer search."""

    @settings(max_examples=150)
    @given(cases(max_n=3))
    def search(case):
        rows = claim("lemma3").check(exact_case("random", "drawn", *case))
        assert all(holds(row._replace(right=0.2 * row.right)) for row in rows)

    with pytest.raises(AssertionError):
        search()
