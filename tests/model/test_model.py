"""Construction and refusals of `NetworkedMDP`."""

from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from scipy.sparse import csr_array

from sacrepro import NetworkedMDP, decay_profile, policy_gradient, q_function
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.policy import gaussian_theta
from strategies import mdps

GRAPH = nx.path_graph(3)
GOOD = random_mdp(GRAPH, seed=0, state_sizes=(2, 3, 2), action_sizes=(2, 1, 2))


def changed(**fields):
    arguments = {"graph": GRAPH, "P": GOOD.P, "r": GOOD.r, "gamma": 0.9, "pi0": GOOD.pi0}
    return NetworkedMDP(**(arguments | fields))


def replaced(tables, i, table):
    return tuple(table if j == i else old for j, old in enumerate(tables))


def spoiled(table, entry, value):
    copy = np.array(table)
    copy[entry] = value
    return copy


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"P": GOOD.P[:2]}, ValueError, "P holds 2 arrays, but the graph has 3 agents"),
        ({"P": 3}, TypeError, "P must be a tuple or list"),
        (
            {"P": replaced(GOOD.P, 1, GOOD.P[0])},
            ValueError,
            r"P\[1\] of agent 1 has shape .*expected \(2, 3, 2, 1, 3\)",
        ),
        ({"P": replaced(GOOD.P, 1, "no")}, TypeError, r"P\[1\] of agent 1 must hold real numbers, got 'no'"),
        ({"P": replaced(GOOD.P, 1, None)}, TypeError, r"P\[1\] of agent 1 must hold real numbers, got None"),
        ({"P": replaced(GOOD.P, 1, [[1], [1, 2]])}, TypeError, r"P\[1\] of agent 1 must hold real numbers: .*inhomog"),
        ({"P": replaced(GOOD.P, 1, GOOD.P[1] + 0j)}, TypeError, r"P\[1\] .* must hold real numbers, got type complex"),
        ({"r": replaced(GOOD.r, 1, GOOD.r[1] + 0j)}, TypeError, r"r\[1\] of agent 1 must hold real numbers"),
        (
            {"r": replaced(GOOD.r, 1, GOOD.r[1].astype(str))},
            TypeError,
            r"r\[1\] of agent 1 must hold real numbers, got",
        ),
        ({"pi0": replaced(GOOD.pi0, 1, GOOD.pi0[1] + 0j)}, TypeError, r"pi0\[1\] of agent 1 must hold real numbers"),
        ({"pi0": np.full((2, 3, 2), 1 / 12 + 0j)}, TypeError, "joint pi0 must hold real numbers, got type complex"),
        (
            {"P": replaced(GOOD.P, 0, spoiled(GOOD.P[0], (1, 2, 0, 1), -0.25))},
            ValueError,
            r"P\[0\] of agent 0 has entry .*-0.25.* at \(1, 2, 0, 1\)",
        ),
        (
            {"P": replaced(GOOD.P, 2, spoiled(GOOD.P[2], (0, 0, 0, 0), np.nan))},
            ValueError,
            r"P\[2\] of agent 2 has entry .*nan.* at \(0, 0, 0, 0\)",
        ),
        (
            {"P": replaced(GOOD.P, 0, spoiled(GOOD.P[0], (1, 2, 1, 0), 2.0))},
            ValueError,
            r"P\[0\] of agent 0 sums to .* in row \(1, 2, 1\), expected 1",
        ),
        (
            {"r": replaced(GOOD.r, 1, -GOOD.r[1])},
            ValueError,
            r"r\[1\] of agent 1 has entry .* must be finite and at least",
        ),
        ({"r": replaced(GOOD.r, 0, np.full((2, 2), np.inf))}, ValueError, r"r\[0\] of agent 0 has entry .*inf"),
        (
            {"r": replaced(GOOD.r, 0, np.zeros(2))},
            ValueError,
            r"r\[0\] of agent 0 has shape \(2,\), expected \(S_0, A_0\)",
        ),
        ({"gamma": 1.0}, ValueError, r"gamma must lie in \[0, 1\), got 1.0"),
        ({"gamma": -0.1}, ValueError, "gamma must lie in"),
        ({"gamma": float("nan")}, ValueError, "gamma must lie in"),
        ({"gamma": "0.9"}, TypeError, "gamma must be a number"),
        ({"pi0": GOOD.pi0[:2]}, ValueError, "pi0 holds 2 arrays"),
        (
            {"pi0": replaced(GOOD.pi0, 1, np.full(2, 0.5))},
            ValueError,
            r"pi0\[1\] of agent 1 has shape \(2,\), expected \(3,\)",
        ),
        ({"pi0": replaced(GOOD.pi0, 2, np.full(2, 0.4))}, ValueError, r"pi0\[2\] of agent 2 sums to 0.8, expected 1"),
        ({"pi0": np.full((2, 3, 2), 0.1)}, ValueError, "joint pi0 sums to .*, expected 1"),
        ({"pi0": np.full((2, 2), 0.25)}, ValueError, r"joint pi0 has shape \(2, 2\), expected \(2, 3, 2\)"),
        ({"graph": nx.DiGraph(GRAPH)}, TypeError, "undirected"),
        ({"graph": nx.path_graph([1, 2, 3])}, ValueError, "graph nodes must be the agents 0..2"),
        (
            {"graph": nx.path_graph([1, 2, 3])},
            ValueError,
            r"^node 0 is missing: .*, got node 3; networkx.convert_node_labels_to_integers\(graph, ordering='sorted'\)",
        ),
        (
            {"r": replaced(GOOD.r, 0, np.ones((2, 3)))},
            ValueError,
            r"P\[0\] .* expected \(2, 3, 3, 2\): .* S_0 = 2 and A_0 = 3 off r\[0\], S_1 = 3 and A_1 = 1 off .*: one",
        ),
        ({"pi0": replaced(GOOD.pi0, 1, np.full(2, 0.5))}, ValueError, r"expected \(3,\): \(S_1,\), read off r\[1\]"),
        ({"pi0": np.full((2, 2), 0.25)}, ValueError, r"expected \(2, 3, 2\): one axis per agent, S_i read off r\[i\]"),
    ],
)
def test_refusals_name_what_is_wrong(fields, error, message):
    with pytest.raises(error, match=message):
        changed(**fields)


def test_rows_from_a_file_of_few_digits_are_divided_by_their_sum():
    """A row within the tolerance that misses 1 by more than its rounding is scaled, every other row stays as it is."""
    P = np.array(GOOD.P[1])
    P[0, 0, 0, 0] = [0.1, 0.3, 0.6 + 8e-13]
    mdp = changed(P=replaced(GOOD.P, 1, P))
    row = mdp.P[1][0, 0, 0, 0]
    assert abs(row.sum() - 1.0) <= 2.0**-52
    assert row == pytest.approx([0.1, 0.3, 0.6], rel=1e-12, abs=0)
    others = np.ones(P.shape[:-1], dtype=bool)
    others[0, 0, 0, 0] = False
    assert np.array_equal(mdp.P[1][others], P[others])
    assert np.array_equal(changed(P=mdp.P).P[1], mdp.P[1])
    with pytest.raises(ValueError, match="read-only"):
        mdp.P[1][0] = 0.0
    marginals = replaced(GOOD.pi0, 1, np.array([0.1, 0.3, 0.6 + 8e-13]))
    assert abs(changed(pi0=marginals).pi0[1].sum() - 1.0) <= 2.0**-52
    joint = np.full((2, 3, 2), 1.0 / 12)
    joint[0, 0, 0] += 8e-13
    assert abs(changed(pi0=joint).pi0.sum() - 1.0) <= 2.0**-51


@pytest.mark.parametrize(("reward", "gamma"), [(1e308, 0.9), (1e151, 0.0), (1e149, 0.9)])
def test_rewards_beyond_the_range_of_floats_are_refused(reward, gamma):
    """They would overflow in V_i or in a bound, and no iteration on infinities ends."""
    r = replaced(GOOD.r, 1, spoiled(GOOD.r[1], (2, 0), reward))
    with pytest.raises(ValueError, match=r"r\[1\] of agent 1 has entry .* at \(2, 0\); with gamma = .* at most"):
        changed(r=r, gamma=gamma)


def test_episodes_are_told_how():
    with pytest.raises(
        ValueError, match=r"gamma must lie in \[0, 1\), got 1.0; for episodes that end give agents a state"
    ):
        changed(gamma=1.0)
    with pytest.raises(ValueError, match=r"gamma must lie in \[0, 1\), got 1.5$"):
        changed(gamma=1.5)


def test_rows_of_single_precision_are_told_how():
    P = tuple(P_i.astype(np.float32) for P_i in GOOD.P)
    with pytest.raises(ValueError, match=r"P\[0\] of agent 0 sums to .*float32; divide by the sum in float64"):
        changed(P=tuple(P_i.astype(np.float32) * np.float32(1 + 3e-7) for P_i in P))
    with pytest.raises(ValueError, match=r"P\[0\] of agent 0 sums to .*float16; divide by the sum in float64"):
        changed(P=tuple((P_i * 0.999).astype(np.float16) for P_i in GOOD.P))
    x = P[0].astype(float)
    x /= x.sum(axis=-1, keepdims=True)
    assert changed(P=replaced(GOOD.P, 0, x)).P[0] == pytest.approx(GOOD.P[0], abs=1e-6)
    with pytest.raises(ValueError, match=r"sums to 1.5 in row .*, expected 1$"):
        changed(P=replaced(GOOD.P, 0, GOOD.P[0] * 1.5))


@pytest.mark.parametrize("name", ["P", "r", "pi0"])
def test_sparse_and_masked_tables_are_named(name):
    tables = getattr(GOOD, name)
    wrong = replaced(tables, 1, csr_array(np.ones((2, 2))))
    with pytest.raises(TypeError, match=rf"{name}\[1\] of agent 1 is a sparse csr_array; pass .toarray\(\)"):
        changed(**{name: wrong})
    hidden = np.ma.array(tables[1], mask=np.zeros(tables[1].shape, bool))
    assert getattr(changed(**{name: replaced(tables, 1, hidden)}), name)[1].tolist() == tables[1].tolist()
    last = tuple(size - 1 for size in tables[1].shape)
    hidden.mask[last] = True
    with pytest.raises(ValueError, match=rf"{name}\[1\] of agent 1 is masked at \({last[0]},.*filled"):
        changed(**{name: replaced(tables, 1, hidden)})


def test_rewards_below_zero_are_told_what_to_add():
    """And what is said is true: Q shifts by c/(1-γ), D and ∇J do not change."""
    with pytest.raises(ValueError, match=r"r\[2\] of agent 2 has entry -1.0 at \(0, 0\); .*add a constant c .* c/\(1"):
        changed(r=replaced(GOOD.r, 2, GOOD.r[2] - GOOD.r[2][0, 0] - 1.0))
    with pytest.raises(ValueError, match=r"P\[1\] .* has entry -1.0 at \(0, 0, 0, 0, 0\); entries must be .* 0$"):
        changed(P=replaced(GOOD.P, 1, spoiled(GOOD.P[1], (0,) * 5, -1.0)))
    shifted, theta = changed(r=tuple(r_i + 3.0 for r_i in GOOD.r)), gaussian_theta(GOOD, np.random.default_rng(0))
    assert q_function(shifted, theta, 0) == pytest.approx(q_function(GOOD, theta, 0) + 3.0 / (1 - 0.9), abs=1e-8)
    assert decay_profile(shifted, theta) == pytest.approx(decay_profile(GOOD, theta), abs=1e-8)
    assert policy_gradient(shifted, theta)[1] == pytest.approx(policy_gradient(GOOD, theta)[1], abs=1e-7)


class Tensor:
    """What a tensor or a data frame is to numpy."""

    def __init__(self, values, attached=False):
        self.values, self.attached = values, attached

    def __array__(self, dtype=None, copy=None):
        if self.attached:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return np.array(self.values, dtype=dtype)


def test_what_converts_to_an_array_is_one():
    mdp = changed(P=tuple(Tensor(P_i) for P_i in GOOD.P), r=[Tensor(r_i) for r_i in GOOD.r])
    assert all(np.array_equal(one, other) for one, other in zip(mdp.P, GOOD.P, strict=True))
    with pytest.raises(TypeError, match=r"P\[0\] of agent 0 must hold real numbers: .*requires grad"):
        changed(P=replaced(GOOD.P, 0, Tensor(GOOD.P[0], attached=True)))


def test_stacked_marginals_are_no_joint_law():
    graph, kernels = nx.path_graph(2), (np.full((2, 2, 2, 2), 0.5),) * 2
    with pytest.raises(ValueError, match=r"every row sums to 1; pass marginals as tuple\(pi0\)"):
        NetworkedMDP(graph, kernels, (np.ones((2, 2)),) * 2, 0.9, np.full((2, 2), 0.5))


def test_exact_numbers_are_numbers():
    rewards = np.array([[Fraction(1, 2), 1], [2, 3]], dtype=object)
    assert changed(r=replaced(GOOD.r, 0, rewards)).r[0].tolist() == [[0.5, 1.0], [2.0, 3.0]]


def test_what_was_given_is_copied_and_frozen():
    P = [np.array(P_i) for P_i in GOOD.P]
    graph = nx.path_graph(3)
    mdp = NetworkedMDP(graph, P, GOOD.r, 0.9, GOOD.pi0)
    P[0][:] = 7.0
    graph.add_edge(0, 2)
    assert np.array_equal(mdp.P[0], GOOD.P[0])
    assert mdp.neighbors == ((0, 1), (0, 1, 2), (1, 2))
    with pytest.raises(ValueError, match="read-only"):
        mdp.P[0][0] = 0.0
    with pytest.raises(nx.NetworkXError, match="Frozen graph"):
        mdp.graph.add_edge(0, 2)
    with pytest.raises(AttributeError):
        mdp.gamma = 0.5


def test_the_order_in_which_nodes_were_added_does_not_matter():
    graph = nx.Graph([(2, 1), (1, 0)])
    assert NetworkedMDP(graph, GOOD.P, GOOD.r, 0.9, GOOD.pi0).neighbors == GOOD.neighbors


@given(mdps())
def test_sizes_and_distributions(mdp):
    assert mdp.n == len(mdp.P) == len(mdp.graph)
    assert mdp.joint_pi0().shape == mdp.state_sizes
    assert abs(mdp.joint_pi0().sum() - 1.0) < 1e-12
    assert all(r_i.min() >= 0 and r_i.max() <= mdp.r_bar for r_i in mdp.r)
