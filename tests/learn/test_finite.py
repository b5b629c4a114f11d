"""No learner returns what is not finite: scales are refused, and a run ends at the first value that is lost."""

from functools import partial

import networkx as nx
import numpy as np
import pytest

from sacrepro import InputWarning, NetworkedMDP, Policy, as_coupled
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.instances.wireless import layout
from sacrepro.learn import control, pairwise, reinforce, sac, sac_seeds
from sacrepro.learn.published import sac_published
from sacrepro.learn.samples import samples
from sacrepro.model.policy import uniform_theta
from sacrepro.simulate import OwnSimulator, SteppedSimulator, WirelessSimulator


def model(scale=1e5):
    drawn = random_mdp(nx.path_graph(4), seed=0, gamma=0.99)
    return NetworkedMDP(drawn.graph, drawn.P, [scale * r_i for r_i in drawn.r], 0.99, drawn.pi0)


MDP = model()
THETA = uniform_theta(MDP)
RUN = {"kappa": 1, "M": 20, "T": 300, "h": 5.0, "t0": 10.0, "seed": 7}
#: TD(1) with α_t near 1 and traces of several visits multiplies the errors of the table at every step.
WILD = RUN | {"kappa": 0, "T": 1500, "h": 50000.0, "t0": 50000.0, "eta": 1.0, "lambda_": 1.0}


@pytest.mark.parametrize("learner", [sac, pairwise, partial(sac, warm_start=True), partial(sac, baseline=True)])
@pytest.mark.parametrize("name", ["eta", "h", "t0"])
def test_steps_beyond_the_range_of_floats_are_refused(learner, name):
    """Seen: θ = NaN without a word, for eta = 1e307 and rewards of 1e5."""
    settings = RUN | {"eta": 1.0, "t0": 1e307 if name == "h" else 10.0} | {name: 1e307}
    with pytest.raises(ValueError, match=rf"{name} must be at most 1e\+150"):
        learner(MDP, THETA, **settings)
    with pytest.raises(ValueError, match=r"eta must be at most 1e\+150"):
        reinforce(MDP, THETA, kappa=1, M=2, T=10, eta=1e307, seed=0)


@pytest.mark.parametrize("learner", [sac, pairwise, partial(sac, warm_start=True), partial(sac, epsilon=0.1)])
def test_the_largest_scales_that_are_taken_stay_finite(learner):
    mdp = model(1e145)
    trace = learner(mdp, THETA, **RUN, eta=1e150)
    assert all(np.isfinite(theta_i).all() for theta_i in trace.theta)
    assert np.isfinite(trace.J_estimate).all()


@pytest.mark.parametrize("extension", [{}, {"warm_start": True}, {"baseline": True}, {"epsilon": 0.1}])
@pytest.mark.parametrize("mdp", [MDP, as_coupled(MDP)], ids=["tables", "stepped"])
def test_a_critic_that_diverges_ends_the_run(extension, mdp):
    message = (
        r"theta\[\d\] of agent \d is no longer finite at \(\d, \d\) after outer iteration m = \d+ of seed 7: lower"
    )
    with pytest.raises(ValueError, match=message):
        sac(mdp, THETA, **WILD, **extension)


def test_the_seed_that_is_lost_is_named():
    settings = {k: v for k, v in WILD.items() if k != "seed"}
    with pytest.raises(ValueError, match=r"theta\[\d\] of agent \d is no longer finite .* m = 0 of seed [34]"):
        sac_seeds(MDP, THETA, **settings, seeds=(3, 4))


def test_the_compiled_loop_stops_where_a_logit_overflows():
    """A logit next to the largest number, raised by the largest step: the entry, the agent and m = 0 are named."""
    start = [np.array(theta_i) for theta_i in THETA]
    start[2][:] = 1.7976931348623157e308
    run = RUN | {"T": 50, "kappa": 3, "h": 10.0}
    with pytest.raises(ValueError, match=r"theta\[2\] of agent 2 is no longer finite at .* m = \d of seed 7"):
        sac(one_pays(1e145), start, **run, eta=1e150)


def one_pays(reward):
    """Agent 2 alone pays, for its action 0, at once: γ = .99 and nothing to learn but that."""
    r = [np.zeros((2, 2)), np.zeros((2, 2)), np.array([[reward, 0.0]] * 2), np.zeros((2, 2))]
    return NetworkedMDP(MDP.graph, MDP.P, r, 0.99, MDP.pi0)


def test_impossible_actions_are_no_divergence():
    start = [np.array([[0.0, -np.inf], [0.0, 0.0]]), *THETA[1:]]
    for learner in (sac, partial(sac, epsilon=0.1), pairwise):
        assert learner(MDP, start, **RUN, eta=1e-4).theta[0][0].tolist()[1] == -np.inf


def test_samples_are_finite_or_refused():
    with pytest.raises(ValueError, match=r"g_hat\[\d\] of agent \d is not finite: .* lower h or lambda_"):
        samples(MDP, THETA, 0, kappa=0, T=1500, h=50000.0, t0=50000.0, seeds=(0, 1), lambda_=1.0)


def test_temperatures_that_overflow_are_named():
    settings = {k: v for k, v in RUN.items() if k != "eta"}
    with pytest.raises(ValueError, match=r"q_i/τ_m of agent \d is not finite before episode m = 1: raise temperature"):
        control(MDP, **settings, temperature=1e-305)


def test_the_published_variant_is_checked():
    access, points = layout(2, 2)
    simulator = WirelessSimulator(access, (0.9, 0.6)[:points], (0.9,) * 4, deadline=2, gamma=0.7)
    theta0 = [np.full((4, A_i), 1.0) for A_i in simulator.action_sizes]
    assert np.isfinite(sac_published(simulator, theta0, kappa=0, M=3, T=10, seed=0, record_every=3).theta[0]).all()


class Own:
    """Two agents in one state each; counts its steps and pays what it is told."""

    graph, state_sizes, action_sizes, gamma = nx.path_graph(2), (1, 1), (2, 2), 0.9

    def __init__(self, pays):
        self.pays, self.steps, self.resets = pays, 0, 0

    def reset(self, rng):
        self.resets += 1
        return np.zeros(2, dtype=int)

    def step(self, a, rng):
        self.steps += 1
        return np.array([self.pays, 0.0]), np.zeros(2, dtype=int)


def test_rewards_of_a_users_simulator_have_the_scale_of_a_models():
    """Seen: J = inf for rewards of 1e308."""
    theta = [np.zeros((1, 2))] * 2
    with pytest.raises(ValueError, match=r"step\(\) at t = 0 gave agent 0 the reward 1e\+308; with gamma = 0.9"):
        sac(Own(1e308), theta, kappa=1, M=1, T=5, h=1, t0=1, eta=1, seed=0)
    with pytest.raises(ValueError, match=r"reward -1.0, expected .* a constant c added to every reward .* shifts Q"):
        sac(Own(-1.0), theta, kappa=1, M=1, T=5, h=1, t0=1, eta=1, seed=0)
    assert sac(Own(1e147), theta, kappa=1, M=1, T=5, h=1, t0=1, eta=1, seed=0).J_estimate[0] > 1e146


def test_masked_answers_lose_no_mask():
    class Masked(Own):
        def step(self, a, rng):
            return np.ma.array([1.0, 2.0], mask=[False, True]), np.zeros(2, dtype=int)

    with pytest.raises(ValueError, match=r"step\(\) at t = 0 returned rewards that are masked for agent 1"):
        sac(Masked(1.0), [np.zeros((1, 2))] * 2, kappa=1, M=1, T=5, h=1, t0=1, eta=1, seed=0)


def test_seeds_are_a_collection():
    for seeds, told in ((3, "3"), (np.array(3), r"array\(3\)")):
        with pytest.raises(TypeError, match=f"seeds must hold integers, got {told}"):
            sac_seeds(MDP, THETA, **{k: v for k, v in RUN.items() if k != "seed"}, eta=1.0, seeds=seeds)


def test_an_episode_of_length_t_takes_t_plus_one_steps():
    """As documented: line 11 sums over t = 0..T."""
    own = Own(1.0)
    SteppedSimulator(own).rollout(Policy([[[0.5, 0.5]]] * 2), 50, seed=0, m=0)
    assert (own.resets, own.steps) == (1, 51)
    assert "`step` T+1 times" in OwnSimulator.__doc__


def test_kappa_beyond_the_diameter_is_told():
    settings = {k: v for k, v in RUN.items() if k != "kappa"} | {"eta": 1e-4}
    with pytest.warns(
        InputWarning, match="kappa = 30 is beyond the diameter of the graph, 3: .* that of kappa = 3"
    ) as told:
        beyond = sac(MDP, THETA, kappa=30, **settings)
    assert {record.filename for record in told} == {__file__}
    full = sac(MDP, THETA, kappa=3, **settings)
    assert all(np.array_equal(one, other) for one, other in zip(beyond.theta, full.theta, strict=True))
    for kappa, error in ((-1, ValueError), (True, TypeError), (1.0, TypeError)):
        with pytest.raises(error, match="kappa must be"):
            sac(MDP, THETA, kappa=kappa, **settings)
