"""Table 1: where nothing is coupled everything is exact, no sum of single-agent functions beats its best fit."""

import json
import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

from claims.instances import RELAY, random_case, uniform_case
from sacrepro import cli
from sacrepro.archive.files import read_rows
from sacrepro.bounds.influence import influence_matrix
from sacrepro.exact import dense
from sacrepro.instances.models import sysadmin
from sacrepro.instances.random_kernels import downstream
from sacrepro.model.graph import max_neighborhood_size
from sacrepro.model.policy import policies
from sacrepro.study.experiments.table1 import (
    Table1Row,
    expected_next_features,
    least_squares,
    lstd,
    markdown_table1,
    max_norm_fit,
    reach,
    single_agent_features,
    table1_rows,
)
from sacrepro.study.record.case import exact_case
from strategies import cases


def global_q(case):
    return np.mean([dense.q_function(case.mdp, case.V[i], i) for i in range(case.mdp.n)], axis=0)


@settings(max_examples=30)
@given(cases(max_n=3, max_size=2))
def test_holds(drawn):
    """D ≤ influence ≤ Lemma 3 and the best fit is the best; with natural weights κ = 0 is a member of the span."""
    case = exact_case("drawn", "drawn", *drawn)
    for row in table1_rows(case, "any"):
        slack = 2.0 * row.D_error + 1e-9
        assert row.influence + slack >= row.D
        assert row.influence <= row.lemma3 + slack
        assert row.best <= min(row.least_squares, row.lstd) + slack
        assert row.truncated <= row.D + slack
        assert row.reach <= row.f
        if row.kappa == 0:
            assert row.best <= row.truncated + slack


def test_tight_without_coupling_every_approximation_is_exact():
    """Decoupled transitions: Q_i depends on (s_i, a_i) alone, so D_i(0) = 0 while Lemma 3 still allows r̄γ/(1-γ)."""
    mdp = sysadmin(nx.cycle_graph(4), gamma=0.9, keep=0.8, support=0.0)
    row = next(iter(table1_rows(uniform_case(mdp), "weakly coupled")))
    assert (row.reach, row.f) == (1, 1)
    assert row.influence <= 1e-12
    assert max(row.D, row.truncated, row.best, row.least_squares, row.lstd) <= 1e-8
    assert row.lemma3 == pytest.approx(1.75 * 0.9 / 0.1)


def test_necessary_the_best_fit_of_a_coupled_model_is_not_exact():
    """One link is enough for Q^θ to leave the span, and for truncation at κ = 2 to beat everything inside it."""
    case = random_case(family="path")
    row = next(row for row in table1_rows(case, "path") if row.kappa == 2)
    assert row.best > 100 * row.D_error
    assert row.truncated < row.best


def test_max_norm_fit_equioscillates_on_a_parabola():
    """The best constant-plus-slope fit of x² on -1, 0, 1 is 1/2, off by ±1/2 at every point."""
    x = np.array([-1.0, 0.0, 1.0])
    fit = max_norm_fit(np.stack([np.ones(3), x], axis=1), x**2)
    assert fit == pytest.approx([0.5, 0.5, 0.5])


def test_expected_next_features_are_those_of_the_joint_chain():
    """Row by row against the transition probabilities of (s', a') over the joint space."""
    case = random_case(seed=1, family="path")
    mdp, zeta = case.mdp, policies(case.mdp, case.theta)
    Phi, Phi_next = single_agent_features(mdp), expected_next_features(mdp, zeta)
    full = (*mdp.state_sizes, *mdp.action_sizes)
    assert (Phi.sum(axis=1) == mdp.n).all()
    rng = np.random.default_rng(0)
    for row in rng.integers(len(Phi), size=10):
        z = np.unravel_index(row, full)
        law = np.ones(())
        for j, hood in enumerate(mdp.neighbors):
            law = np.multiply.outer(law, mdp.P[j][tuple(z[k] for k in hood)][z[mdp.n + j]])
        for j in range(mdp.n):
            law = law[..., None] * zeta[j].reshape([-1 if k == j else 1 for k in range(mdp.n)] + [1] * j + [2])
        assert Phi_next[row] == pytest.approx(law.ravel() @ Phi, abs=1e-12)


def test_lstd_solves_the_projected_equation():
    """Φ'D(r + γ P^ζ Φw - Φw) = 0 with the joint transition matrix over (s, a)."""
    case = exact_case("relay", "uniform", RELAY, tuple(np.zeros((2, 2)) for _ in range(4)))
    mdp, zeta = case.mdp, policies(case.mdp, case.theta)
    fit = lstd(mdp, zeta, case.pi_theta)
    full = (*mdp.state_sizes, *mdp.action_sizes)
    states = math.prod(mdp.state_sizes)
    next_value = fit.reshape(states, -1).mean(axis=1).reshape(mdp.state_sizes)  # uniform policies
    backup = np.mean([dense.q_function(mdp, next_value, i) for i in range(mdp.n)], axis=0).ravel()
    D = np.broadcast_to((case.pi_theta / 16).reshape(*mdp.state_sizes, 1, 1, 1, 1), full).ravel()
    assert single_agent_features(mdp).T @ (D * (backup - fit)) == pytest.approx(np.zeros(16), abs=1e-9)


def test_least_squares_leaves_a_residual_orthogonal_to_the_span():
    case = random_case(seed=2)
    Phi, Q = single_agent_features(case.mdp), global_q(case)
    assert Phi.T @ (least_squares(Phi, Q) - Q.ravel()) == pytest.approx(np.zeros(Phi.shape[1]), abs=1e-8)


def test_downstream_sees_the_parent_alone():
    """Path 1 - 0 - 2 - 3 with root 0: neither 1 nor 2 moves 0, 2 does not see 3, and κ steps bring κ + 1 agents."""
    mdp = downstream(nx.Graph([(0, 1), (0, 2), (2, 3)]), gamma=0.9, seed=0, concentration=0.5)
    C = influence_matrix(mdp).toarray()
    assert {(i, j) for i, j in zip(*np.nonzero(C), strict=True) if i != j} == {(1, 0), (2, 0), (3, 2)}
    C = influence_matrix(mdp)
    assert [reach(C, kappa) for kappa in range(4)] == [1, 2, 3, 3]
    assert [max_neighborhood_size(mdp.graph, kappa) for kappa in range(4)] == [1, 3, 4, 4]
    again, other = (downstream(nx.path_graph(3), gamma=0.9, seed=seed) for seed in (1, 2))
    assert not np.array_equal(again.P[0], other.P[0])
    assert np.array_equal(again.P[2], downstream(nx.path_graph(3), gamma=0.9, seed=1).P[2])


@pytest.mark.parametrize(
    ("graph", "parameters", "message"),
    [
        (nx.cycle_graph(3), {}, "downstream: graph must be a tree"),
        (nx.path_graph(3), {"root": 3}, r"downstream: root must be an agent out of 0\.\.2, got 3"),
        (nx.path_graph(3), {"concentration": 0.0}, "downstream: concentration must be finite and above 0, got 0.0"),
        (nx.star_graph(30), {}, "agent 0 has degree 30"),
    ],
)
def test_downstream_refuses(graph, parameters, message):
    with pytest.raises(ValueError, match=message):
        downstream(graph, gamma=0.9, seed=0, **parameters)


def test_the_verb_writes_rows_and_a_table_that_names_every_setting(tmp_path):
    exact = str(tmp_path / "ring.npz")
    spec = {"model": "sysadmin", "graph": {"family": "ring", "n": 4}, "gamma": 0.9}
    options = ["--policies", "2", "--seed", "0", "--scale", "1"]
    cli.main(["exact", "--instance", "ring", "--spec", json.dumps(spec), *options, "--output", exact])
    rows, markdown = tmp_path / "table1.csv", tmp_path / "table1.md"
    settings_ = ["--settings", '{"ring": "Factored MDP"}']
    cli.main(["table1", exact, *settings_, "--markdown", str(markdown), "--output", str(rows)])
    read = read_rows(rows, Table1Row)
    assert [(row.policy, row.kappa) for row in read] == [(p, k) for p in ("uniform", "gaussian 1") for k in range(3)]
    assert markdown.read_text() == markdown_table1(read)
    assert markdown.read_text().count("| Factored MDP |") == 3
    cli.main(["figure", "table1", str(rows), "--output", str(tmp_path / "table1.svg")])
    assert (tmp_path / "table1.svg").read_text().startswith("<?xml")


def test_the_table_as_it_is_written():
    """Two policies of one setting share a line with the larger errors; what is within the certificate reads 0."""
    row = Table1Row("chain", "a", "uniform", 3, 64, 0, 1, 2, 12, 0.25, 1e-3, 9.0, 0.5, 0.125, 10, 0.002, 0.00201, 1.0)
    rows = [row, row._replace(policy="gaussian 1", D=0.12345, lstd=2.0), row._replace(setting="star", n=4, joint=256)]
    assert markdown_table1(rows) == (
        "| setting | n | entries of Q | κ | f(κ) | reach | entries of all Q̂_i | max D_i(κ) | Lemma 3 | influence "
        "| truncated Q̂ | single-agent parameters | linear, best fit | linear, least squares | linear, LSTD |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| chain | 3 | 64 | 0 | 1 | 2 | 12 | 0.25 | 9 | 0.5 | 0.125 | 10 | 0 | 0.00201 | 2 |\n"
        "| star | 4 | 256 | 0 | 1 | 2 | 12 | 0.25 | 9 | 0.5 | 0.125 | 10 | 0 | 0.00201 | 1 |\n"
    )


def test_rows_carry_their_names_and_sizes():
    rows = list(table1_rows(uniform_case(RELAY, "here"), "a setting"))
    assert {row[:5] for row in rows} == {("a setting", "here", "uniform", 4, 4**4)}
    assert [(row.kappa, row.f, row.reach, row.table, row.linear_table) for row in rows] == [
        (0, 1, 1, 4 * 4, 16), (1, 3, 2, 2 * 4**2 + 2 * 4**3, 16), (2, 4, 3, 2 * 4**3 + 2 * 4**4, 16),
        (3, 4, 4, 4 * 4**4, 16),
    ]  # fmt: skip
