"""The pairwise critic against plain Python on the same keys, and where it is the table."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learn.plain_control import plain_pairwise
from learn.test_algorithm1 import learning_problems
from learn.test_extensions import STEPS, assert_same_run
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn import pairwise, sac
from sacrepro.learn.algorithm1 import run
from sacrepro.learn.problem import Settings
from sacrepro.learn.without_tables import Pairwise
from sacrepro.model.policy import gaussian_theta, uniform_theta


@settings(max_examples=40, deadline=None)
@given(learning_problems(), st.integers(1, 40), st.integers(0, 2**64 - 1), st.sampled_from([0.0, 0.25]))
def test_the_pairwise_critic_is_its_plain_definition(problem, T, seed, epsilon):
    mdp, theta0, kappa = problem
    arguments = {"kappa": kappa, "M": 3, "T": T, "seed": seed, "epsilon": epsilon, **STEPS}
    trace = pairwise(mdp, theta0, record_every=1, **arguments)
    plain = plain_pairwise(mdp, theta0, **arguments)
    assert_same_run(mdp, theta0, trace, plain, 3, T, kappa)
    assert np.isnan(trace.first_visit_share).all()


def test_without_neighbors_it_is_algorithm_1():
    """At κ = 0 there is one feature, the cell itself: line 7 in another order of rounding."""
    mdp = random_mdp(nx.path_graph(4), seed=0)
    arguments = {"kappa": 0, "M": 5, "T": 60, "seed": 3, **STEPS}
    theta0 = gaussian_theta(mdp, np.random.default_rng(0))
    table, linear = sac(mdp, theta0, **arguments), pairwise(mdp, theta0, **arguments)
    for a, b in zip(table.theta, linear.theta, strict=True):
        assert np.abs(a - b).max() <= 1e-12
    wide = pairwise(mdp, theta0, **(arguments | {"kappa": 1}))
    assert not np.allclose(wide.theta[0], linear.theta[0])


def test_seeds_in_one_call_are_the_seeds_one_by_one():
    mdp = random_mdp(nx.cycle_graph(6), seed=0)
    arguments = {"kappa": 1, "M": 4, "T": 50, **STEPS}
    together = run(Pairwise, mdp, uniform_theta(mdp), Settings(**arguments), (4, 9))
    for seed, trace in zip((4, 9), together, strict=True):
        alone = pairwise(mdp, uniform_theta(mdp), seed=seed, **arguments)
        assert all(np.array_equal(a, b) for a, b in zip(trace.theta, alone.theta, strict=True))
    assert not np.array_equal(together[0].theta[0], together[1].theta[0])


@pytest.mark.parametrize(("change", "message"), [({"h": 9.0}, "convex"), ({"epsilon": 1.0}, "epsilon must")])
def test_invalid_arguments_are_refused(change, message):
    mdp = random_mdp(nx.path_graph(2), seed=0)
    with pytest.raises(ValueError, match=message):
        pairwise(mdp, uniform_theta(mdp), kappa=1, M=1, T=3, seed=0, **(STEPS | change))
