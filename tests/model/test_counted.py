"""Models by counts are the same models: kernels, trajectories, influence matrix; and hubs that no table holds."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sacrepro.bounds.influence import influence_everywhere, influence_matrix
from sacrepro.instances import COUNTED, build, build_for_sampling
from sacrepro.learn import sac
from sacrepro.model.graph import KERNEL_ENTRIES
from sacrepro.model.mdp import CountedMDP
from sacrepro.model.policy import gaussian_theta, policies, uniform_theta
from sacrepro.simulate import Simulator
from strategies import graphs


def random_counted(graph, seed, sizes):
    """Dirichlet kernels over (s_i, k, a_i), different state and action sizes."""
    rng = np.random.default_rng(seed)
    P, r, pi0 = [], [], []
    for i in range(len(graph)):
        K_i = sum(sizes[j] - 1 for j in graph[i] if j != i)
        A_i = 1 + i % 3
        P.append(rng.dirichlet(np.full(sizes[i], 0.5), size=(sizes[i], K_i + 1, A_i)))
        r.append(rng.random((sizes[i], A_i)))
        pi0.append(rng.dirichlet(np.ones(sizes[i])))
    return CountedMDP(graph, tuple(P), tuple(r), 0.9, tuple(pi0))


@st.composite
def counted_mdps(draw):
    graph = draw(graphs(max_n=4))
    sizes = [draw(st.integers(1, 3)) for _ in graph]
    return random_counted(graph, draw(st.integers(0, 1000)), sizes)


@given(counted_mdps())
def test_expanded_kernels_are_read_at_the_sum(mdp):
    expanded = mdp.expanded()
    for i, hood in enumerate(mdp.neighbors):
        for states in np.ndindex(*expanded.P[i].shape[:-2]):
            own = states[hood.index(i)]
            assert np.array_equal(expanded.P[i][states], mdp.P[i][own, sum(states) - own])


@given(counted_mdps())
def test_influence_matrix_is_that_of_the_expanded_model(mdp):
    C, expanded = influence_matrix(mdp).toarray(), influence_matrix(mdp.expanded()).toarray()
    assert np.abs(C - expanded).max() <= 1e-15


@given(counted_mdps(), st.integers(0, 100))
def test_trajectories_are_those_of_the_expanded_model(mdp, seed):
    zeta = policies(mdp, gaussian_theta(mdp, np.random.default_rng(seed)))
    one, other = (Simulator(m).rollout(zeta, 30, seed=seed, m=0) for m in (mdp, mdp.expanded()))
    assert np.array_equal(one.s, other.s)
    assert np.array_equal(one.r, other.r)


@pytest.mark.parametrize("graph", [nx.cycle_graph(60), nx.star_graph(8)])
def test_sac_takes_the_same_steps_on_both_forms(graph):
    mdp = COUNTED["social"](graph, gamma=0.8)
    options = {"kappa": 1, "M": 5, "T": 40, "h": 5, "t0": 10, "eta": 1.0, "seed": 3}
    one, other = (sac(m, uniform_theta(mdp), **options) for m in (mdp, mdp.expanded()))
    assert all(np.array_equal(x, y) for x, y in zip(one.theta, other.theta, strict=True))


HUB = {"model": "sis", "graph": {"family": "star", "n": 2001}, "gamma": 0.9, "beta": [0.001, 0.0005]}


def test_a_hub_of_degree_2000_is_sampled_and_bounded_but_not_tabulated():
    with pytest.raises(ValueError, match=rf"agent 0 has degree 2000, .* at most {KERNEL_ENTRIES} are tabulated"):
        build(HUB)
    mdp = build_for_sampling(HUB)
    assert mdp.P[0].shape == (2, 2001, 2, 2)
    assert mdp.P[1] is mdp.P[2000]
    C = influence_matrix(mdp)
    assert C[0, 7] == pytest.approx(0.95 * 0.001, rel=1e-9)
    assert influence_everywhere(C, 2, mdp.gamma, mdp.r_bar).shape == (2001, 3)
    trajectory = Simulator(mdp).rollout(policies(mdp, uniform_theta(mdp)), 5, seed=0, m=0)
    assert trajectory.s.shape == (2001, 6)


def test_models_without_counts_are_built_as_tables():
    spec = {"model": "relay", "n": 3, "gamma": 0.9}
    assert type(build_for_sampling(spec)) is type(build(spec))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"P": lambda P: (P[0][:, :1], *P[1:])},
            r"P\[0\] of agent 0 has shape \(2, 1, 1, 2\), expected \(2, 2, 1, 2\)",
        ),
        (
            {"r": lambda r: (*r[:1], np.ones((3, 1)), *r[2:])},
            r"P\[0\] .* expected \(2, 3, 1, 2\): .* S_0 = 2 and A_0 = 1 off r\[0\], S_1 = 3 and A_1 = 1 off .*: one",
        ),
        ({"P": lambda P: P[:2]}, "P holds 2 arrays, but the graph has 3 agents"),
        ({"P": lambda P: (0.5 * P[0], *P[1:])}, r"P\[0\] of agent 0 sums to"),
        ({"r": lambda r: (r[0][0], *r[1:])}, r"r\[0\] of agent 0 has shape \(1,\)"),
        ({"r": lambda r: (-r[0], *r[1:])}, r"r\[0\] of agent 0 has entry"),
        ({"pi0": lambda pi0: (np.ones(3) / 3, *pi0[1:])}, r"pi0\[0\] of agent 0 has shape \(3,\), expected \(2,\)"),
        ({"gamma": lambda gamma: 1.0}, "gamma must lie"),
    ],
)
def test_refusals(change, message):
    mdp = random_counted(nx.path_graph(3), 0, [2, 2, 2])
    fields = {name: getattr(mdp, name) for name in ("graph", "P", "r", "gamma", "pi0")}
    for name, function in change.items():
        fields[name] = function(fields[name])
    with pytest.raises(ValueError, match=message):
        CountedMDP(**fields)
