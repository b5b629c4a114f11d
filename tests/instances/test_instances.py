"""Named models: hand-computed transitions, seeds, refusals."""

import re

import networkx as nx
import numpy as np
import pytest

from sacrepro.exact import q_function
from sacrepro.instances import MODELS, build, build_for_sampling
from sacrepro.instances.extremal import courtesy, parity
from sacrepro.instances.graphs import FAMILIES, build_graph
from sacrepro.instances.models import sis
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.instances.relay import broadcast, relay
from sacrepro.model.graph import diameter
from sacrepro.model.policy import uniform_theta


def test_sis_transitions_by_hand():
    """Agent 1 of a path of three: neighbors 0 and 2, so P[1] is indexed [s_0, s_1, s_2, a_1, s_1']."""
    mdp = sis(nx.path_graph(3), gamma=0.9, beta=(0.4, 0.1), delta=(0.2, 0.7), epsilon=0.05, health=1.0, cost=0.3)
    P = mdp.P[1]
    assert P[0, 0, 0, 0, 1] == pytest.approx(0.05)
    assert P[1, 0, 0, 0, 1] == pytest.approx(1 - 0.95 * 0.6)
    assert P[1, 0, 1, 0, 1] == pytest.approx(1 - 0.95 * 0.36)
    assert P[1, 0, 1, 1, 1] == pytest.approx(1 - 0.95 * 0.81)
    assert P[1, 1, 0, 0, 0] == pytest.approx(0.2)
    assert P[0, 1, 0, 1, 0] == pytest.approx(0.7)
    # Health 1 while susceptible, 0.3 for a treatment not paid for.
    assert mdp.r[1].tolist() == [[1.3, 1.0], [0.3, 0.0]]


def test_relay_copies_its_left_neighbor():
    mdp = relay(3, gamma=0.9)
    for states in np.ndindex(2, 2, 2):
        for action in range(2):
            assert mdp.P[1][states][action, states[0]] == 1.0  # agent 1 copies agent 0
            assert mdp.P[0][states[:2]][action, states[0]] == 1.0  # agent 0 keeps its state
            assert mdp.P[2][states[1:]][action, states[1]] == 1.0  # agent 2 copies agent 1


def test_noise_redraws_the_copied_bit():
    mdp = relay(2, gamma=0.9, noise=0.4)
    assert mdp.P[1][1, 0, 0].tolist() == pytest.approx([0.2, 0.8])


def test_broadcast_copies_leaf_one_through_the_hub():
    mdp = broadcast(4, gamma=0.9)
    for states in np.ndindex(2, 2, 2, 2):
        assert mdp.P[0][states][0, states[1]] == 1.0
    for hub, own in np.ndindex(2, 2):
        assert mdp.P[1][hub, own, 0, own] == 1.0
        assert mdp.P[3][hub, own, 0, hub] == 1.0


def test_the_hub_of_the_parity_star_adds_its_action_to_the_leaves():
    mdp = parity(4, gamma=0.9, r_bar=2.0)
    for *states, action in np.ndindex(2, 2, 2, 2, 2):
        assert mdp.P[0][(*states, action)][(sum(states[1:]) + action) % 2] == 1.0
    for hub, own, action in np.ndindex(2, 2, 2):
        assert mdp.P[2][hub, own, action, hub] == 1.0
    assert [r_i.tolist() for r_i in mdp.r[:2]] == [[[0, 0], [0, 0]], [[0, 0], [2, 2]]]
    assert mdp.joint_pi0()[1, 1, 0, 0] == 1.0
    with pytest.raises(ValueError, match="parity: n must be at least 3, got 2"):
        parity(2, gamma=0.9)
    with pytest.raises(ValueError, match="parity: r_bar must be"):
        parity(3, gamma=0.9, r_bar=-1.0)


def test_random_models_depend_on_the_seed_alone():
    graph = nx.path_graph(3)
    same, again, other = (random_mdp(graph, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(P, Q) for P, Q in zip(same.P, again.P, strict=True))
    assert not np.array_equal(same.P[0], other.P[0])


def test_real_networks_have_the_sizes_of_the_literature():
    assert len(build_graph({"family": "krackhardt_kite"})) == 10
    florentine = build_graph({"family": "florentine_families"})
    assert (len(florentine), florentine.number_of_edges(), diameter(florentine)) == (15, 20, 5)
    for family, n, edges, hub in (
        ("karate_club", 34, 78, 17),
        ("les_miserables", 77, 254, 36),
        ("davis_women", 32, 89, 14),
    ):
        graph = build_graph({"family": family})
        assert (len(graph), graph.number_of_edges(), max(dict(graph.degree).values())) == (n, edges, hub)
        assert not any(data for _, _, data in graph.edges(data=True))


def test_davis_women_are_two_modes():
    """18 women and 14 events, edges only between the two."""
    graph = build_graph({"family": "davis_women"})
    assert nx.is_bipartite(graph)
    assert sorted(map(len, nx.bipartite.sets(graph))) == [14, 18]


def test_the_internet_graph_depends_on_the_seed_alone():
    same, again, other = (build_graph({"family": "internet", "n": 100, "seed": seed}) for seed in (1, 1, 2))
    assert set(same.edges) == set(again.edges)
    assert set(same.edges) != set(other.edges)


def test_every_family_is_on_the_agents_zero_to_n_minus_one():
    parameters = {
        "grid": {"rows": 2, "columns": 3},
        "random_tree": {"n": 5, "seed": 0},
        "internet": {"n": 30, "seed": 0},
    }
    real = {"krackhardt_kite", "florentine_families", "karate_club", "les_miserables", "davis_women"}
    for family in FAMILIES:
        fixed = {} if family in real else {"n": 4}
        graph = build_graph({"family": family, **parameters.get(family, fixed)})
        assert set(graph) == set(range(len(graph)))
        assert nx.is_connected(graph)


PAIR = {"family": "path", "n": 2}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"model": "sis", "graph": {"family": "star", "n": 2001}, "gamma": 0.9},
            r"agent 0 has degree 2000, so its kernel P\[0\] has about 10\^603\.0 entries",
        ),
        (
            {"model": "random", "graph": {"family": "star", "n": 2001}, "gamma": 0.9, "seed": 0},
            "agent 0 has degree 2000",
        ),
        ({"model": "broadcast", "n": 2001, "gamma": 0.9}, "agent 0 has degree 2000"),
        (
            {"model": "thermal", "graph": {"family": "star", "n": 30}, "gamma": 0.9, "exchange": 0.01},
            "agent 0 has degree 29",
        ),
        ({"model": "queueing", "graph": {"family": "star", "n": 30}, "gamma": 0.9}, "agent 0 has degree 29"),
        ({"model": "sis", "graph": {"family": "internet", "n": 0, "seed": 0}, "gamma": 0.9}, "internet: n must be"),
        ({}, "instance: unknown model None; known are relay"),
        ({"model": "ising"}, "instance: unknown model 'ising'.*, each with its `spec`"),
        ({"model": "relay", "n": 3}, "relay: gamma is missing"),
        ({"model": ["relay"]}, r"instance: unknown model \('relay',\)"),
        ({"model": "relay", "n": 3, "gama": 0.9}, "relay: gama is no parameter; did you mean 'gamma'?"),
        *(
            ({"model": "relay", "gamma": 0.9, "n": n}, rf"relay: n must be an integer, got {re.escape(repr(n))}")
            for n in (1.5, True, None, "3", {})
        ),
        ({"model": "relay", "gamma": 0.9, "n": 10**30}, "relay: n must be at most 10,000,000, got 1000"),
        ({"model": "relay", "gamma": 0.9, "n": 3, "noise": True}, "relay: noise must be a number, got True"),
        ({"model": "courtesy", "n": 3, "gamma": float("inf"), "coupling": 0.5, "most": 1}, "gamma must lie in"),
        ({"model": "random", "graph": PAIR, "seed": -1}, "random: seed must be at least 0, got -1"),
        ({"model": "downstream", "graph": PAIR, "gamma": 0.9, "seed": -1}, "downstream: seed must be at least 0"),
        *(
            ({"model": "random", "graph": PAIR, "seed": 0, name: value}, f"random: {name} must {message}")
            for name in ("state_sizes", "action_sizes")
            for value, message in (
                (0, "hold integers of at least 1, one for all or 2, got"),
                ([2], "hold integers of at least 1, one for all or 2, got"),
                ([2, -1], "hold integers of at least 1, one for all or 2, got"),
                ([2, 1.5], "be an integer or a list of integers, got"),
            )
        ),
        *(
            ({"model": "thermal", "graph": PAIR, "gamma": 0.9, name: float(value)}, f"thermal: {name} must be finite")
            for name in ("coldest", "step", "outdoor", "target")
            for value in ("nan", "inf")
        ),
        ({"model": "thermal", "graph": PAIR, "gamma": 0.9, "heating": 10**30}, "instance: .* too large"),
        ({"model": "wireless", "rows": 1, "columns": 2, "users_per_cell": 5}, "agent 0 has degree 9, so its kernel"),
        ({"model": "wireless", "rows": 1, "columns": 2, "q": ["a"]}, "q must be a number or a list of numbers, got"),
        *(
            ({"model": "sis", "graph": graph, "gamma": 0.9}, message)
            for graph, message in (
                ({"family": "grid", "rows": 1.5, "columns": 2}, "grid: rows must be an integer, got 1.5"),
                ({"family": "grid", "rows": 2, "columns": 0}, "grid: columns must be at least 1, got 0"),
                ({"family": "path", "n": -3}, "path: n must be at least 1, got -3"),
                ({"family": "star", "n": 0}, "star: n must be at least 1, got 0"),
                ({"family": "complete", "n": 0}, "complete: n must be at least 1, got 0"),
                ({"family": "random_tree", "n": 0, "seed": 0}, "random_tree: n must be at least 1, got 0"),
                ({"family": "random_tree", "n": 3, "seed": -1}, "random_tree: seed must be at least 0, got -1"),
                ({"family": "internet", "n": 3, "seed": True}, "internet: seed must be an integer, got True"),
                ({"family": "internet", "n": 3, "seed": -1}, "internet: seed must be at least 0, got -1"),
                ({"family": "path", "m": 3}, "path: m is no parameter; known are n"),
                ({"family": ["path"], "n": 3}, r"graph: unknown family \['path'\]"),
            )
        ),
        ({"model": "relay", "n": 0, "gamma": 0.9}, "relay: n must be at least 1, got 0"),
        ({"model": "relay", "n": 2, "gamma": 0.9, "noise": 2}, r"relay: noise must lie in \[0, 1\], got 2"),
        ({"model": "broadcast", "n": 2, "gamma": 0.9}, "broadcast: n must be at least 3"),
        ({"model": "sis", "graph": {"family": "torus"}, "gamma": 0.9}, "graph: unknown family 'torus'"),
        ({"model": "sis", "graph": {"family": "path"}, "gamma": 0.9}, "path: n is missing"),
        ({"model": "sis", "graph": {"family": "ring", "n": 2}, "gamma": 0.9}, "ring: n must be at least 3"),
        (
            {"model": "sis", "graph": PAIR, "gamma": 0.9, "beta": [0.1, 1.5]},
            "sis: beta must hold",
        ),
        (None, "instance: expected a mapping such as .*, got None$"),
        ("trio_90", "got 'trio_90'; instances of the study by name: `instances:` of workflow/config/paper.yaml"),
        (["relay"], "instance: expected a mapping"),
        ({"model": "sis", "graph": "ring", "gamma": 0.9}, "graph: expected a mapping such as .*, got 'ring'"),
        (
            {"model": "sis", "graph": PAIR, "gamma": 0.9, "beta": 0.3},
            "sis: beta must be a list of two numbers, got 0.3",
        ),
        ({"model": "sis", "graph": PAIR, "gamma": 0.9, "delta": [0.1]}, "sis: delta must hold two numbers"),
        ({"model": "sis", "graph": PAIR, "gamma": 0.9, "beta": ["a", 0.1]}, "sis: beta must be a list of two numbers"),
        ({"model": "sis", "graph": PAIR, "gamma": 0.9, "cost": None}, "sis: cost must be a number, got None"),
        ({"model": "relay", "n": 3, "gamma": 0.9, "r_bar": -1}, "relay: r_bar must be finite and at least 0, got -1"),
        ({"model": "broadcast", "n": 3, "gamma": 0.9, "r_bar": float("inf")}, "broadcast: r_bar must be finite"),
        *(
            (
                spec | {"gamma": 0.9, "seed": 0, "concentration": value},
                "concentration must be (finite and above 0|a number), got",
            )
            for spec in ({"model": "random", "graph": PAIR}, {"model": "downstream", "graph": PAIR})
            for value in (0, -1.0, float("nan"), float("inf"), "1")
        ),
    ],
)
def test_refusals(spec, message):
    with pytest.raises(ValueError, match=message):
        build(spec)


def test_nothing_is_sampled_from_no_specification():
    with pytest.raises(ValueError, match=r"instance: expected a mapping such as .*, got None"):
        build_for_sampling(None)


def test_every_model_is_documented():
    for name, model in MODELS.items():
        assert model.__doc__, name


def test_courtesy_is_worth_what_it_says():
    """Acting once raises the return of the agents up to κ hops on by B_i(κ), whoever else does what."""
    n, gamma, c = 4, 0.8, 0.6
    mdp = courtesy(n, gamma=gamma, coupling=c, most=2)
    theta = uniform_theta(mdp)
    for i in range(n):
        hops = min(i % 3, n - 1 - i)
        worth = [sum(gamma ** (d + 1) * (1 - c) * c**d for d in range(k + 1)) for k in range(-1, n - i)]
        assert worth[hops] < mdp.r[i][0, 0] < worth[hops + 1]
        for j in range(n):
            Q = q_function(mdp, theta, j)
            raised = np.take(Q, 1, axis=n + i) - np.take(Q, 0, axis=n + i)
            earned = worth[j - i + 1] - worth[j - i] if j >= i else 0.0
            price = mdp.r[i][0, 0] if i == j else 0.0
            assert np.abs(raised - (earned - price)).max() <= 1e-9
    with pytest.raises(ValueError, match="coupling must lie in"):
        courtesy(3, gamma=0.9, coupling=1.0, most=1)
    with pytest.raises(ValueError, match=r"most must lie in 0..n-1, got 3 with n = 3"):
        courtesy(3, gamma=0.9, coupling=0.5, most=3)
