"""CoupledMDP refuses bad input like the plain model, naming agent and entry, and copies what it keeps."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given

from sacrepro import CoupledMDP, as_coupled
from strategies import coupled_mdps, mdps

S, A = (2, 3, 1), (2, 1, 2)


def parts():
    """A path of three agents with S = (2, 3, 1) and A = (2, 1, 2), all kernels uniform."""
    hoods = ((0, 1), (0, 1, 2), (1, 2))
    rows = [(*(S[j] for j in hood), *(A[j] for j in hood)) for hood in hoods]
    P = [np.full((*row, S[i]), 1.0 / S[i]) for i, row in enumerate(rows)]
    return {
        "graph": nx.path_graph(3),
        "P": P,
        "r": [np.ones(row) for row in rows],
        "gamma": 0.9,
        "pi0": tuple(np.full(S_i, 1.0 / S_i) for S_i in S),
    }


def changed(**replacements):
    return CoupledMDP(**(parts() | replacements))


def test_sizes_and_range():
    mdp = changed()
    assert (mdp.n, mdp.state_sizes, mdp.action_sizes, mdp.r_bar) == (3, S, A, 1.0)
    assert mdp.neighbors == ((0, 1), (0, 1, 2), (1, 2))
    assert mdp.joint_pi0().shape == S


def test_copies_and_freezes():
    given_parts = parts()
    mdp = CoupledMDP(**given_parts)
    given_parts["P"][0][...] = 7.0
    given_parts["graph"].add_edge(0, 2)
    assert mdp.P[0].max() == 0.5
    assert not mdp.graph.has_edge(0, 2)
    with pytest.raises(ValueError, match="read-only"):
        mdp.r[0][...] = 0.0


def one_wrong(name, i, change):
    tables = [table.copy() for table in parts()[name]]
    tables[i] = change(tables[i])
    return {name: tables}


def bumped(table):
    table[(0,) * table.ndim] += 0.5
    return table


def negative(table):
    table[(0,) * table.ndim] = -1.0
    return table


@pytest.mark.parametrize(
    ("replacement", "error", "message"),
    [
        ({"graph": nx.DiGraph([(0, 1), (1, 2)])}, TypeError, "undirected"),
        ({"gamma": 1.0}, ValueError, r"gamma must lie in \[0, 1\)"),
        ({"P": np.ones(3)}, TypeError, "P must be a tuple or list"),
        ({"P": parts()["P"][:2]}, ValueError, "P holds 2 arrays, but the graph has 3 agents"),
        (one_wrong("P", 0, bumped), ValueError, r"P\[0\] of agent 0 sums to 1.5 in row"),
        (one_wrong("P", 2, negative), ValueError, r"P\[2\] of agent 2 has entry -1.0"),
        (one_wrong("P", 0, lambda P: P[:1]), ValueError, r"P\[0\] of agent 0 has shape .*expected \(2, 3, 2, 1, 2\)"),
        (one_wrong("r", 1, negative), ValueError, r"r\[1\] of agent 1 has entry -1.0 at \(0, 0, 0, 0, 0, 0\)"),
        (one_wrong("r", 0, lambda r: r[..., 0]), ValueError, r"r\[0\] of agent 0 .* each agent of N_0 = \(0, 1\)"),
        (one_wrong("r", 2, lambda r: r[:2]), ValueError, r"r\[2\] of agent 2 has shape .*expected \(3, 1, 1, 2\)"),
        (one_wrong("r", 2, lambda r: r[:2]), ValueError, "S_2 = 1 and A_2 = 2 off .*, S_1 = 3 and A_1 = 1 off .*: one"),
        (one_wrong("P", 0, lambda P: P[:1]), ValueError, "S_0 = 2 and A_0 = 2 off .*, S_1 = 3 and A_1 = 1 off .*: one"),
        ({"pi0": (np.ones(1),) * 3}, ValueError, r"pi0\[0\] of agent 0 has shape \(1,\), expected \(2,\)"),
        ({"pi0": np.ones((2, 3, 2)) / 12}, ValueError, r"joint pi0 has shape \(2, 3, 2\), expected \(2, 3, 1\)"),
    ],
)
def test_refusals(replacement, error, message):
    with pytest.raises(error, match=message):
        changed(**replacement)


@pytest.mark.parametrize("model", [None, "a model", CoupledMDP(**parts())])
def test_only_a_plain_model_can_be_taken_as_a_coupled_one(model):
    with pytest.raises(TypeError, match=f"expected a NetworkedMDP or a CountedMDP, got {type(model).__name__}"):
        as_coupled(model)


@given(mdps(max_n=3))
def test_a_plain_model_is_a_coupled_one(mdp):
    coupled = as_coupled(mdp)
    assert (coupled.state_sizes, coupled.action_sizes) == (mdp.state_sizes, mdp.action_sizes)
    assert coupled.r_bar == mdp.r_bar
    for i, hood in enumerate(mdp.neighbors):
        for row in np.ndindex(*coupled.r[i].shape):
            s, a = row[: len(hood)], row[len(hood) + hood.index(i)]
            assert coupled.r[i][row] == mdp.r[i][s[hood.index(i)], a]
            assert (coupled.P[i][row] == mdp.P[i][(*s, a)]).all()


@given(coupled_mdps())
def test_strategies_reach_models_that_are_accepted(mdp):
    assert mdp.n <= 3
