"""Eqs. (5)-(7): weights, truncated Q-functions and their refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sacrepro import natural_weights, neighborhood, policy_gradient, q_function, truncate, truncated_policy_gradient
from sacrepro.exact import dense
from sacrepro.exact.truncation import cell_shape, outside_axes
from sacrepro.instances import build
from sacrepro.model.graph import diameter
from sacrepro.study.measures.truncation import dirichlet_weights, point_mass_weights, sparse_weights, uniform_weights
from strategies import cases


def families(mdp, theta, Q_i, i, kappa):
    hood = neighborhood(mdp.graph, i, kappa)
    rng = np.random.default_rng(0)
    yield uniform_weights(Q_i.shape, hood)
    yield dirichlet_weights(Q_i.shape, hood, rng)
    yield sparse_weights(Q_i.shape, hood, rng)
    yield point_mass_weights(Q_i, hood, largest=True)
    yield point_mass_weights(Q_i, hood, largest=False)
    yield natural_weights(mdp, theta, i, kappa)


@settings(max_examples=40)
@given(cases(max_n=3), st.integers(0, 2))
def test_weights_sum_to_one_and_truncation_stays_in_the_range_of_the_cell(case, kappa):
    mdp, theta = case
    for i in range(mdp.n):
        hood = neighborhood(mdp.graph, i, kappa)
        Q_i = q_function(mdp, theta, i)
        axes = outside_axes(hood, mdp.n)
        low, high = Q_i.min(axis=axes, keepdims=True), Q_i.max(axis=axes, keepdims=True)
        rounding = 1e-12 * max(1.0, np.abs(Q_i).max())
        for w in families(mdp, theta, Q_i, i, kappa):
            assert (w >= 0).all()
            assert np.abs(w.sum(axis=axes) - 1.0).max() < 1e-12
            Q_hat_i = truncate(Q_i, hood, w)
            assert Q_hat_i.shape == cell_shape(Q_i.shape, hood)
            assert (low - rounding <= Q_hat_i).all()
            assert (Q_hat_i <= high + rounding).all()


@settings(max_examples=40)
@given(cases(max_n=3), st.integers(0, 2))
def test_point_masses_attain_the_range_and_so_the_decay_gap(case, kappa):
    mdp, theta = case
    for i in range(mdp.n):
        hood = neighborhood(mdp.graph, i, kappa)
        Q_i = q_function(mdp, theta, i)
        axes = outside_axes(hood, mdp.n)
        for largest, extreme in ((True, Q_i.max(axis=axes)), (False, Q_i.min(axis=axes))):
            Q_hat_i = truncate(Q_i, hood, point_mass_weights(Q_i, hood, largest=largest))
            assert np.array_equal(Q_hat_i.ravel(), extreme.ravel())
            gap = dense.oscillation(Q_i, hood).max()
            assert np.abs(Q_hat_i - Q_i).max() == pytest.approx(gap, rel=1e-12, abs=1e-12)


@settings(max_examples=20)
@given(cases(max_n=3))
def test_beyond_the_diameter_of_a_connected_graph_nothing_is_lost(case):
    mdp, theta = case
    kappa = diameter(mdp.graph)
    if len(neighborhood(mdp.graph, 0, kappa)) < mdp.n:
        return
    Q = [q_function(mdp, theta, i) for i in range(mdp.n)]
    h_hat = truncated_policy_gradient(mdp, theta, Q, kappa)
    scale = max(1.0, mdp.r_bar / (1 - mdp.gamma) ** 2)
    for block, exact in zip(h_hat, policy_gradient(mdp, theta), strict=True):
        assert np.abs(block - exact).max() <= 1e-10 * scale


RELAY = build({"model": "relay", "n": 3, "gamma": 0.9})
THETA = tuple(np.zeros((2, 2)) for _ in range(3))
Q_0 = q_function(RELAY, THETA, 0)


def one_negative():
    """Zeros before, and after, the two negative entries: the first of them is named."""
    w = np.zeros((2,) * 6)
    w[0, 1, 0, 0, 0, 1] = w[1, 1, 1, 1, 1, 1] = -0.25
    return w


@pytest.mark.parametrize(
    ("w", "message"),
    [
        (np.full((2,) * 6, 1 / 8), r"weights sum to 2.0 in the cell at \(0, 0, 0, 0, 0, 0\)"),
        (np.full((2,) * 4, 1 / 4), r"weights have shape \(2, 2, 2, 2\), expected the shape of Q_i"),
        (np.full((2,) * 6, np.nan), "weights have entry nan"),
        (one_negative(), r"weights have entry -0.25 at \(0, 1, 0, 0, 0, 1\); eq. \(6\) needs non-negative weights"),
        (-np.full((2,) * 6, 1 / 16), "non-negative weights"),
    ],
)
def test_truncate_refuses_what_eq_6_forbids(w, message):
    with pytest.raises(ValueError, match=message):
        truncate(Q_0, (0,), w)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_q_function_is_finite(value):
    """Seen: a NaN in Q_i went into every cell that it touches."""
    mdp = build({"model": "relay", "n": 2, "gamma": 0.9})
    theta = (np.zeros((2, 2)),) * 2
    Q_0, w = q_function(mdp, theta, 0), natural_weights(mdp, theta, 0, 0)
    Q_hat = [truncate(Q_0, (0,), w), truncate(Q_0, (1,), natural_weights(mdp, theta, 1, 0))]
    Q_0[0, 1, 1, 0] = value
    with pytest.raises(ValueError, match=rf"Q_i has entry {value!r} at \(0, 1, 1, 0\); a Q-function is finite"):
        truncate(Q_0, (0,), w)
    Q_hat[1][0, 1, 0, 1] = value
    with pytest.raises(ValueError, match=rf"Q_hat\[1\] of agent 1 has entry {value!r} at \(0, 1, 0, 1\)"):
        truncated_policy_gradient(mdp, theta, Q_hat, 0)


def test_truncate_refuses_strange_neighborhoods_and_tables():
    w = np.full((2,) * 6, 1 / 16)
    for hood in ((0, 0), (3,), (-1,), (True,), (0.0,), "0", [[0]]):
        with pytest.raises(ValueError, match=r"hood .* must hold distinct agents out of 0\.\.2$"):
            truncate(Q_0, hood, w)
    for hood in (0, None):
        with pytest.raises(TypeError, match="hood must hold agents, got"):
            truncate(Q_0, hood, w)
    for hood in ((), [], np.array([], dtype=int)):  # seen: "weights sum to 4.0"
        with pytest.raises(ValueError, match=r"hood is empty, expected agents out of 0\.\.2"):
            truncate(Q_0, hood, w)
    for Q_i in (None, Q_0 + 0j, Q_0.astype(str)):
        with pytest.raises(TypeError, match="Q_i must hold real numbers, got"):
            truncate(Q_i, (0,), w)
    for wrong in (None, w + 0j, "w"):
        with pytest.raises(TypeError, match="weights must hold real numbers, got"):
            truncate(Q_0, (0,), wrong)
    assert truncate(Q_0.tolist(), [0], w.tolist()).tolist() == truncate(Q_0, (0,), w).tolist()
    with pytest.raises(ValueError, match="one state axis and one action axis"):
        truncate(np.zeros((2, 2, 2)), (0,), np.zeros((2, 2, 2)))


def test_truncated_gradient_refuses_tables_of_another_kappa():
    Q_hat = [truncate(Q_0, (i,), np.full((2,) * 6, 1 / 16)) for i in range(3)]
    with pytest.raises(TypeError, match="Q_hat must be a sequence of tables, one an agent, got NoneType"):
        truncated_policy_gradient(RELAY, THETA, None, 0)
    for wrong in (None, Q_hat[1] + 0j, Q_hat[1].astype(str)):
        with pytest.raises(TypeError, match=r"Q_hat\[1\] of agent 1 must hold real numbers, got"):
            truncated_policy_gradient(RELAY, THETA, [Q_hat[0], wrong, Q_hat[2]], 0)
    for model in (None, RELAY.graph):
        with pytest.raises(TypeError, match="expected a NetworkedMDP, a CoupledMDP or a CountedMDP, got"):
            truncated_policy_gradient(model, THETA, Q_hat, 0)
        with pytest.raises(TypeError, match="expected a NetworkedMDP, a CoupledMDP or a CountedMDP, got"):
            natural_weights(model, THETA, 0, 0)
    with pytest.raises(TypeError, match="an agent is an integer, got True"):
        natural_weights(RELAY, THETA, True, 0)
    with pytest.raises(ValueError, match="Q_hat holds 2 tables"):
        truncated_policy_gradient(RELAY, THETA, Q_hat[:2], 0)
    with pytest.raises(
        ValueError,
        match=r"agent 0 has shape \(2, 1, 1, 2, 1, 1\), expected \(2, 2, 1, 2, 2, 1\): .* N_0\^1 = \(0, 1\)",
    ):
        truncated_policy_gradient(RELAY, THETA, Q_hat, 1)


def test_sparse_weights_are_drawn_for_each_cell_by_itself():
    """Cells differ in where their two entries lie and in how they split; one or two entries a cell."""
    w = sparse_weights((2,) * 6, (0,), np.random.default_rng(0))
    cells = w.transpose(0, 3, 1, 2, 4, 5).reshape(4, 16)
    np.testing.assert_allclose(cells.sum(axis=1), 1.0)
    assert ((cells > 0).sum(axis=1) <= 2).all()
    assert len({tuple(np.flatnonzero(cell)) for cell in cells}) == 4
    assert len({round(float(cell.max()), 12) for cell in cells}) == 4


def test_a_table_without_axes_is_refused():
    with pytest.raises(ValueError, match="Q_i has 0 axes"):
        truncate(np.float64(1.0), (), np.float64(1.0))
