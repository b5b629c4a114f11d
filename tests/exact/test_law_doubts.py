"""What the exact law of Algorithm 1 says of arguments that were probably meant otherwise, once a call."""

import warnings

import networkx as nx
import numpy as np
import pytest

from sacrepro import as_coupled, critic_law, expected_critic, expected_update, mean_curve
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.policy import gaussian_theta, policies

MDP = random_mdp(nx.path_graph(2), seed=0, gamma=0.7)
THETA = gaussian_theta(MDP, np.random.default_rng(0))
STEP = {"h": 1.5, "t0": 2.5}


LAWS = {
    "expected_update": lambda mdp, theta, **options: expected_update(mdp, theta, **options).g_hat,
    "expected_critic": lambda mdp, theta, **options: expected_critic(mdp, theta, **options)[0],
    "critic_law": lambda mdp, theta, **options: critic_law(mdp, theta, 0, **options)[:2],
    "mean_curve": lambda mdp, theta, **options: mean_curve(mdp, theta, M=3, eta=0.5, **options),
}


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("kind", [lambda mdp: mdp, as_coupled], ids=["plain", "coupled"])
def test_a_kappa_beyond_the_diameter_is_told_once(name, kind):
    mdp = kind(MDP)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        beyond = LAWS[name](mdp, THETA, kappa=9, T=3, **STEP)
    assert [record.filename for record in told] == [__file__]
    assert "kappa = 9 is beyond the diameter of the graph, 1: every N_i^κ holds all" in str(told[0].message)
    for one, other in zip(beyond, LAWS[name](mdp, THETA, kappa=1, T=3, **STEP), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("name", LAWS)
def test_probabilities_taken_for_logits_are_told_once(name):
    """Seen: once for each iteration and again for each table."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        LAWS[name](MDP, policies(MDP, THETA), kappa=0, T=3, **STEP)
    assert [record.filename for record in told] == [__file__]
