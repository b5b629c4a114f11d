"""The bias of the mean step: exact, tending to what κ alone costs, and compared κ by κ beyond its errors."""

from pathlib import Path

import networkx as nx
import pytest
import yaml

from sacrepro.instances import build
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.study.experiments.exact_bias import BiasRow, bias_rows, is_best

ROOT = Path(__file__).parents[2]
TRIO = random_mdp(nx.path_graph(3), seed=1, gamma=0.5, concentration=0.3)


def test_the_bias_tends_to_what_kappa_alone_costs():
    short, middle, long = bias_rows(TRIO, "trio", [0], [10, 1000, 20_000])
    assert short.bias > 10 * long.bias
    # What is left falls like 1/T: twenty times the steps, a twentieth of it, up to a factor of two.
    assert 10 < abs(middle.bias - middle.limit) / abs(long.bias - long.limit) < 40
    assert long.error < 1e-5 * long.bias
    assert long.limit < 0.01 * long.gradient


def test_small_kappa_is_closest_where_episodes_are_short():
    rows = bias_rows(TRIO, "trio", [0, 1], [10, 100])
    assert [(row.kappa, row.T, row.best) for row in rows] == [(0, 10, 1), (0, 100, 1), (1, 10, 0), (1, 100, 0)]


@pytest.mark.slow
def test_the_page_of_figures_says_where_kappa_1_takes_over():
    """κ = 0 at T = 3,000 and κ = 1 at T = 10,000, on the first of the instances that the figure shows."""
    study = yaml.safe_load((ROOT / "workflow/config/paper.yaml").read_text())
    name = next(iter(study["exact_bias"]))
    rows = bias_rows(build(study["instances"][name]["spec"]), name, [0, 1], [3000, 10_000])
    assert [(row.kappa, row.T) for row in rows if row.best] == [(0, 3000), (1, 10_000)]
    page = " ".join((ROOT / "paper/figures.md").read_text().split())
    assert "Up to T = 3,000 κ = 0 is closest to the gradient, at T = 10,000 κ = 1" in page


def test_a_difference_below_the_errors_decides_nothing():
    rows = [BiasRow("x", kappa, 10, 1.0 + 1e-9 * kappa, 1e-8, 0.0, 1.0, 0) for kappa in (0, 1)]
    assert not any(is_best(row, rows) for row in rows)
    assert is_best(rows[0]._replace(error=0.0), [rows[0]._replace(error=0.0), rows[1]._replace(error=0.0)])
