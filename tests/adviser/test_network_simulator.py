"""A network file is sampled as its tables would be, bit for bit, and where it has none, by its rules."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_files import SIS, SMALL, THREE, load_dict

from sacrepro import control, pairwise, reinforce, sac, sac_seeds
from sacrepro.instances.network.labelled import of_model
from sacrepro.learn.samples import samples
from sacrepro.model import kernels as counts
from sacrepro.model.policy import gaussian_theta, softmax, uniform_theta
from sacrepro.simulate import Simulator
from strategies import mdps

DOCUMENTS = [SIS, THREE, SMALL]
SETTINGS = {"kappa": 1, "M": 3, "T": 40, "h": 2.0, "t0": 8.0, "eta": 0.5}

#: Three states and neighbors counted: the hub of a star has 3^40 rows as a table, and 861 by counts.
VOTERS = {
    "graph": {"family": "star", "n": 41},
    "gamma": 0.9,
    "states": ["left", "none", "right"],
    "actions": 2,
    "kernel": {
        "probabilities": {
            "right": "1 if count(right) > count(left) else 0.25 * (a == 1) * (count(right) == count(left))",
            "left": "1 if count(left) > count(right) else 0.25 * (a == 0) * (count(right) == count(left))",
        }
    },
    "reward": "s == none",
}


def same(left, right):
    return all(np.array_equal(x, y) for x, y in zip(left, right, strict=True))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_trajectories_are_those_of_the_tables(document):
    network = load_dict(document)
    mdp = network.mdp()
    zeta = [softmax(theta_i) for theta_i in gaussian_theta(mdp, np.random.default_rng(1))]
    assert same(Simulator(mdp).rollout(zeta, 700, seed=3, m=1), network.simulator().rollout(zeta, 700, seed=3, m=1))
    left, right = (sac_seeds(x, uniform_theta(mdp), **SETTINGS, seeds=range(5)) for x in (mdp, network.simulator()))
    for mine, its in zip(left, right, strict=True):
        assert same(mine.theta, its.theta)
        assert np.array_equal(mine.J_estimate, its.J_estimate)


@settings(max_examples=30)
@given(st.data())
def test_any_model_is_sampled_as_its_network(data):
    mdp = data.draw(mdps())
    zeta = [softmax(theta_i) for theta_i in gaussian_theta(mdp, np.random.default_rng(0))]
    assert same(Simulator(mdp).rollout(zeta, 70, seed=1, m=0), of_model(mdp).simulator().rollout(zeta, 70, seed=1, m=0))


def test_counts_of_three_states_are_looked_up():
    """Certain moves, written out in Python: the hub follows the majority of forty leaves, and each leaf the hub."""
    network = load_dict(VOTERS)
    with pytest.raises(ValueError, match="neighbors"):
        network.mdp()
    simulator = network.simulator()
    zeta = [softmax(np.zeros((3, 2)))] * network.n
    seen = set()
    for seed in range(50):
        s = simulator.rollout(zeta, 2, seed=seed, m=0).s.astype(int)
        for i in range(network.n):
            beside = s[list(network.graph[i])]
            balance = (beside == 2).sum(axis=0) - (beside == 0).sum(axis=0)
            decided = balance[:-1] != 0
            assert (s[i, 1:][decided] == 1 + np.sign(balance[:-1][decided])).all()
            seen |= {(i, int(s[i, 1])), (i, bool(decided[0]))}
    assert seen >= {(0, 0), (0, 2), (0, True), (1, 0), (1, 1), (1, 2), (1, False)}


def test_every_learner_takes_a_thousand_agents_whose_kernels_are_no_tables():
    document = VOTERS | {"graph": {"family": "internet", "n": 1000, "seed": 1}}
    network = load_dict(document)
    assert max(degree for _, degree in network.graph.degree) > 40
    simulator, theta = network.simulator(), uniform_theta(network)
    trace = sac(simulator, theta, **SETTINGS, seed=0)
    again = sac(network.simulator(), theta, **SETTINGS, seed=0)
    assert same(trace.theta, again.theta)
    assert not same(trace.theta, sac(simulator, theta, **SETTINGS, seed=1).theta)
    assert samples(simulator, trace.theta, 0, kappa=0, T=9, h=1.0, t0=1.0, seeds=range(3)).J_estimate.shape == (3,)
    without_critic = {key: SETTINGS[key] for key in ("kappa", "M", "T", "eta")}
    assert len(reinforce(simulator, theta, **without_critic, seed=0).theta) == 1000
    assert len(pairwise(simulator, theta, **SETTINGS, seed=0).theta) == 1000
    episodes = {key: SETTINGS[key] for key in ("M", "T", "h", "t0")}
    assert len(control(simulator, kappa=0, **episodes, seed=0, epsilon=0.1).theta) == 1000
    for extension in ({"warm_start": True}, {"lambda_": 0.5}, {"baseline": True}, {"epsilon": 0.1}):
        assert len(sac(simulator, theta, **SETTINGS | {"kappa": 0}, seed=0, **extension).theta) == 1000


def test_batches_of_seeds_are_the_seeds_one_by_one():
    network = load_dict(VOTERS)
    simulator, theta = network.simulator(), uniform_theta(network)
    together = sac_seeds(simulator, theta, **SETTINGS, seeds=range(30))
    for seed in (0, 7, 29):
        assert same(together[seed].theta, sac(simulator, theta, **SETTINGS, seed=seed).theta)


def test_a_renamed_agent_is_sampled_as_before():
    renamed = THREE | {
        "graph": {
            "nodes": ["a", "b", "c", "d", "e"],
            "edges": [["a", "b"], ["a", "c"], ["d", "a"], ["b", "c"]],
        }
    }
    zeta = [softmax(np.zeros((3, 2)))] * 5
    one, other = (load_dict(document).simulator() for document in (THREE, renamed))
    assert same(one.rollout(zeta, 200, seed=0, m=0), other.rollout(zeta, 200, seed=0, m=0))


def test_what_cannot_be_sampled_is_refused_by_name(monkeypatch):
    huge = SIS | {"reward": "1e300"}
    with pytest.raises(ValueError, match=r"agent '0' has a reward of 1e\+300; with gamma = 0.8 rewards may be at most"):
        load_dict(huge).simulator()
    monkeypatch.setattr(counts, "MOST_CODES", 1000)
    with pytest.raises(ValueError, match="agent '0': 40 neighbors of 3 states have more than 1000 codes"):
        load_dict(VOTERS).simulator()
