"""The recorded baseline: its policies earn what the file says, SAC's runs are made again, and its script still runs."""

import csv
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from sacrepro import Policy, evaluate, load

pytest.importorskip("pettingzoo", reason="pettingzoo is an optional extra, pip install -e '.[pettingzoo]'")
ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("independent_learners", ROOT / "paper/independent_learners.py")
recipe = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(recipe)
ROWS = [
    recipe.LearnedRow(
        row["learner"], *(int(row[x]) for x in ("seed", "M", "T")), float(row["J"]), float(row["error"]), row["policy"]
    )
    for row in csv.DictReader((ROOT / "paper/independent_learners.csv").read_text().splitlines())
]


def policy_of(row, mdp):
    second = iter(map(float, row.policy.split()))
    return Policy([np.array([[1.0 - x, x] for x in (next(second) for _ in range(S))]) for S in mdp.state_sizes])


def test_every_policy_earns_what_is_recorded():
    mdp = load(ROOT / recipe.NETWORK).mdp()
    assert {row.learner for row in ROWS} == {recipe.Q_LEARNING, "SAC, κ = 0", "SAC, κ = 1"}
    for row in ROWS:
        found = evaluate(mdp, policy_of(row, mdp))
        assert abs(found.J - row.J) <= found.J_error + row.error
        assert row.error == pytest.approx(found.J_error, rel=1e-3)  # J's own, with the rounding of the mean
        assert (row.M, row.T) == (recipe.M, recipe.T)


def test_the_page_shows_these_numbers():
    assert recipe.table(ROWS) in (ROOT / "paper/independent_learners.md").read_text()


def test_the_learners_of_q_are_what_a_seed_makes_them():
    pytest.importorskip("bettermdptools", reason="pip install --no-deps bettermdptools, and tqdm")
    mdp = load(ROOT / recipe.NETWORK).mdp()
    one, same, other = (recipe.independent_q(mdp, seed, 3, 20) for seed in (0, 0, 7))
    assert all(np.array_equal(x, y) for x, y in zip(one.zeta, same.zeta, strict=True))
    assert not all(np.array_equal(x, y) for x, y in zip(one.zeta, other.zeta, strict=True))


def test_a_learner_that_fails_stops_all(monkeypatch):
    pytest.importorskip("bettermdptools", reason="pip install --no-deps bettermdptools, and tqdm")
    mdp = load(ROOT / recipe.NETWORK).mdp()

    def step(self, action):
        raise ArithmeticError("no step")

    monkeypatch.setattr(recipe.Own, "step", step)
    with pytest.raises(ArithmeticError, match="no step"):
        recipe.independent_q(mdp, 0, 2, 5)
