"""Models as ParallelEnv and back, held to PettingZoo's own tests, to the kernels, and to exact values."""

import doctest
import warnings

import gymnasium
import networkx as nx
import numpy as np
import pettingzoo
import pytest

import sacrepro.adapters.pettingzoo as adapter
from sacrepro import CountedMDP, CoupledMDP, as_coupled, evaluate, sac
from sacrepro.adapters.pettingzoo import parallel_env, simulator
from sacrepro.instances import build
from sacrepro.instances.graphs import build_graph
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.policy import uniform_theta

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # where pygame is installed it loads games of its own
    from pettingzoo.test import parallel_api_test, parallel_seed_test

MDP = random_mdp(build_graph({"family": "path", "n": 3}), seed=0, gamma=0.8, concentration=0.3)
SIS = build({"model": "sis", "graph": {"family": "star", "n": 4}, "gamma": 0.8})


def counted():
    """Two agents that see each other through a sum."""
    rng = np.random.default_rng(0)
    P = tuple(rng.dirichlet([1.0, 1.0], size=(2, 2, 2)) for _ in range(2))
    r = tuple(rng.random((2, 2)) for _ in range(2))
    return CountedMDP(nx.path_graph(2), P, r, 0.8, (np.array([0.3, 0.7]),) * 2)


MODELS = {"tables": MDP, "epidemic": SIS, "counted": counted(), "coupled": as_coupled(MDP)}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore")  # PettingZoo's tests warn of what they cannot judge
def test_pettingzoos_own_tests_pass(name):
    for horizon in (None, 7):
        parallel_api_test(parallel_env(MODELS[name], horizon=horizon), num_cycles=300)
    parallel_seed_test(lambda: parallel_env(MODELS[name], horizon=50), num_cycles=60)


def returns(env, gamma, episodes, horizon):
    """Discounted mean rewards of uniformly random episodes."""
    rng, found = np.random.default_rng(1), []
    for episode in range(episodes):
        env.reset(seed=episode)
        total = 0.0
        for t in range(horizon):
            actions = {name: int(rng.integers(env.action_space(name).n)) for name in env.agents}
            _, rewards, *_ = env.step(actions)
            total += gamma**t * float(np.mean(list(rewards.values())))
        found.append(total)
    return np.array(found)


@pytest.mark.parametrize("name", MODELS)
def test_returns_are_the_exact_objective(name):
    """J of the uniform policy within four standard errors and the cut of 40 steps, for each kind of model."""
    mdp = MODELS[name]
    exact = mdp.expanded() if isinstance(mdp, CountedMDP) else MDP if isinstance(mdp, CoupledMDP) else mdp
    J = evaluate(exact, uniform_theta(exact)).J
    sampled = returns(parallel_env(mdp, horizon=40), 0.8, 400, 40)
    cut = 0.8**40 * exact.r_bar / 0.2
    assert abs(sampled.mean() - J) <= 4 * sampled.std(ddof=1) / 20 + cut


def test_next_states_follow_the_kernel():
    """The law of s_1' at one (s, a), a joint start and a joint state."""
    pi0 = np.zeros((2, 2, 2))
    pi0[1, 0, 1] = 1.0
    mdp = type(MDP)(MDP.graph, MDP.P, MDP.r, MDP.gamma, pi0)
    env = parallel_env(mdp, horizon=1)
    ones = []
    for seed in range(2000):
        env.reset(seed=seed)
        assert env.state().tolist() == [1, 0, 1]
        observed, rewards, *_ = env.step({"agent_0": 0, "agent_1": 1, "agent_2": 0})
        assert rewards["agent_2"] == mdp.r[2][1, 0]
        assert env.state().tolist() == list(observed.values())
        ones.append(observed["agent_1"])
    p = mdp.P[1][1, 0, 1, 1, 1]
    assert np.mean(ones) == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 2000))


def test_the_horizon_truncates_and_names_are_kept():
    env = parallel_env(MDP, horizon=2, names=["ann", "bob", "cas"])
    env.reset(seed=0)
    act = dict.fromkeys(env.possible_agents, 0)
    assert not any(env.step(act)[3].values())
    _, _, ended, cut, _ = env.step(act)
    assert cut == dict.fromkeys(["ann", "bob", "cas"], True)
    assert not any(ended.values())
    assert env.agents == []
    with pytest.raises(ValueError, match="reset"):
        env.step(act)


def test_pictures_and_text():
    env = parallel_env(MDP, render_mode="rgb_array")
    env.reset(seed=0)
    first = env.render()
    assert first.dtype == np.uint8
    assert first.shape == (320, 320, 3)
    env._s = 1 - env._s
    assert (env.render() != first).any()
    words = parallel_env(MDP, render_mode="ansi")
    words.reset(seed=0)
    assert words.render() == " ".join(f"agent_{i}:{s}" for i, s in enumerate(words.state()))
    assert parallel_env(MDP).render() is None


def begun():
    """An environment that has been reset."""
    env = parallel_env(MDP)
    env.reset(seed=0)
    return env


@pytest.mark.parametrize(
    ("error", "match", "call"),
    [
        (TypeError, "NetworkedMDP", lambda: parallel_env({})),
        (TypeError, "horizon", lambda: parallel_env(MDP, horizon=2.5)),
        (ValueError, "horizon", lambda: parallel_env(MDP, horizon=0)),
        (ValueError, "3 different labels", lambda: parallel_env(MDP, names=["a", "a", "b"])),
        (ValueError, "render_mode", lambda: parallel_env(MDP, render_mode="human")),
        (ValueError, "no episode is under way", lambda: parallel_env(MDP).step({})),
        (ValueError, "no entry for 'agent_2'", lambda: begun().step({"agent_0": 0, "agent_1": 0})),
        (ValueError, "0..1, got 2", lambda: begun().step(dict.fromkeys(["agent_0", "agent_1", "agent_2"], 2))),
        (ValueError, "gamma must lie", lambda: simulator(parallel_env(MDP), MDP.graph, gamma=1.9)),
        (TypeError, "ParallelEnv", lambda: simulator(MDP, MDP.graph, gamma=0.9)),
        (ValueError, "2 agents, the environment 3", lambda: simulator(parallel_env(MDP), nx.path_graph(2), gamma=0.9)),
    ],
)
def test_refusals(error, match, call):
    with pytest.raises(error, match=match):
        call()


def test_algorithm_1_learns_the_same_from_the_environment():
    """The step of `sac` through the environment and through the model: equal within four standard errors over seeds."""
    theta = uniform_theta(simulator(parallel_env(MDP), MDP.graph, gamma=MDP.gamma, endless=True))
    settings = {"kappa": 0, "M": 1, "T": 30, "h": 2.0, "t0": 4.0, "eta": 1.0}
    seen, own = [], []
    for seed in range(60):
        through = simulator(parallel_env(MDP), MDP.graph, gamma=MDP.gamma, endless=True)
        seen.append(np.concatenate([block.ravel() for block in sac(through, theta, seed=seed, **settings).theta]))
        own.append(np.concatenate([block.ravel() for block in sac(MDP, theta, seed=seed, **settings).theta]))
    seen, own = np.array(seen), np.array(own)
    spread = np.sqrt((seen.var(axis=0, ddof=1) + own.var(axis=0, ddof=1)) / 60)
    assert (np.abs(seen.mean(axis=0) - own.mean(axis=0)) <= 4 * spread + 1e-12).all()


def test_costs_and_endings():
    """Rewards of -1 a step are shifted by 1; after two steps everybody is gone and earns the shift."""

    class Costs(pettingzoo.ParallelEnv):
        metadata = {"name": "costs"}  # noqa: RUF012
        possible_agents = ["a", "b"]  # noqa: RUF012

        def observation_space(self, agent):
            return gymnasium.spaces.Discrete(2, start=5)

        def action_space(self, agent):
            return gymnasium.spaces.Discrete(2, start=3)

        def reset(self, seed=None, options=None):
            self.agents, self.t = ["a", "b"], 0
            return {"a": 5, "b": 6}, {"a": {}, "b": {}}

        def step(self, actions):
            assert set(actions.values()) <= {3, 4}
            names, self.t = self.agents, self.t + 1
            self.agents = [name for name in names if self.t < (1 if name == "a" else 2)]
            gone = {name: name not in self.agents for name in names}
            return dict.fromkeys(names, 5), dict.fromkeys(names, -1.0), gone, dict.fromkeys(names, False), {}

    through = simulator(Costs(), nx.path_graph(2), gamma=0.5, shift=1.0)
    rng, a = np.random.default_rng(0), np.array([0, 1])
    assert through.reset(rng).tolist() == [0, 1]
    assert [part.tolist() for part in through.step(a, rng)] == [[0.0, 0.0], [2, 0]]
    assert [part.tolist() for part in through.step(a, rng)] == [[1.0, 0.0], [2, 2]]
    assert [part.tolist() for part in through.step(a, rng)] == [[1.0, 1.0], [2, 2]]

    ends = simulator(Costs(), nx.path_graph(2), gamma=0.5, shift=1.0, endless=True)
    ends.reset(rng)
    with pytest.raises(ValueError, match="agent 'a' left an environment that was said to be endless"):
        ends.step(a, rng)

    class Continuous(Costs):
        def observation_space(self, agent):
            return gymnasium.spaces.Box(0.0, 1.0)

    with pytest.raises(TypeError, match="observation space of 'a' must be Discrete"):
        simulator(Continuous(), nx.path_graph(2), gamma=0.5)


def test_the_example_runs():
    assert doctest.testmod(adapter).failed == 0


def test_both_doors_print_as_one_line():
    env = parallel_env(MDP, horizon=7)
    assert repr(env) == f"NetworkEnv({MDP!r}, horizon=7)"
    through = simulator(env, MDP.graph, gamma=0.8, endless=True)
    assert repr(through) == "EnvironmentSimulator(n=3, edges=2, S=2, A=2, γ=0.8)"


def test_a_graph_by_names_is_read_by_names():
    """Whatever order the graph has them in: a is in the middle, and c is not its number's neighbor."""
    env = parallel_env(random_mdp(nx.path_graph(3), seed=0), horizon=5, names=["a", "b", "c"])
    named = simulator(env, nx.path_graph(["b", "a", "c"]), gamma=0.9)
    assert set(map(frozenset, named.graph.edges)) == {frozenset((0, 1)), frozenset((0, 2))}
    with pytest.raises(ValueError, match=r"must be the agents 0..2, got node 'x'; number the agents yourself"):
        simulator(env, nx.path_graph(["x", "a", "c"]), gamma=0.9)


def test_a_table_of_what_is_learned_has_the_names_of_the_environment():
    pytest.importorskip("pandas", reason="pandas is not installed: pip install -e '.[pandas]'")
    from sacrepro.adapters.frames import to_frame

    through = simulator(parallel_env(MDP, names=["ann", "bob", "cid"]), MDP.graph, gamma=0.9, endless=True)
    table = to_frame(uniform_theta(through), through)
    assert table.label.unique().tolist() == ["ann", "bob", "cid"]
    assert table.state.unique().tolist() == [0, 1]
