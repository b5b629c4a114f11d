"""Advice: its bounds hold, its simulation stays below what is exact, and the κ it recommends is confirmed by a run."""

import csv
import json
import math
import re
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from network_files import SIS, SMALL, THREE, load_dict, written

import sacrepro
from sacrepro import NetworkedMDP, certified_decay, cli, decay_profile, policy_gradient, truncated_policy_gradient
from sacrepro.adviser.advice import advise
from sacrepro.adviser.certificates import certificates, decay_rates, distances, eccentricities
from sacrepro.adviser.clock import Clock
from sacrepro.adviser.describe import A_COMPARISON, SPREAD, about, compared, layout, summary
from sacrepro.adviser.evaluation import evaluation, evaluation_words
from sacrepro.adviser.measured import measured
from sacrepro.adviser.prose import recommendation, words
from sacrepro.adviser.sampling import Sampler, least_decay
from sacrepro.bounds import influence as total_variation
from sacrepro.bounds.gradient import lemma4_vector
from sacrepro.exact.dense import q_function
from sacrepro.exact.truncation import truncate
from sacrepro.instances import COUNTED, build
from sacrepro.instances.models import sis
from sacrepro.instances.network.files import example, load
from sacrepro.instances.network.labelled import network_influence, of_model
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn import cells, problem
from sacrepro.learn.samples import samples
from sacrepro.model.graph import diameter, neighborhood
from sacrepro.model.notices import power, rounded
from sacrepro.model.policy import uniform_theta
from sacrepro.simulate.stepped import ModelSteps
from strategies import cases, mdps

KARATE = Path(sacrepro.__file__).parent.parent / "workflow/networks/karate.yaml"


def load_example():
    return load_dict(yaml.safe_load(example()))


@settings(max_examples=40)
@given(st.data())
def test_lemma4_gaps_holds_for_any_weights(data):
    mdp, theta = data.draw(cases(max_n=3, max_size=2))
    from sacrepro.exact import evaluate

    V = evaluate(mdp, theta).V
    D = decay_profile(mdp, theta)
    gradient = policy_gradient(mdp, theta)
    for kappa in range(D.shape[1]):
        Q_hat = []
        for j in range(mdp.n):
            Q_j = q_function(mdp, V[j], j)
            hood = neighborhood(mdp.graph, j, kappa)
            outside = [k for k in range(mdp.n) if k not in hood]
            axes = tuple(outside + [k + mdp.n for k in outside])
            # All the mass on one entry of each cell: the least, or the largest.
            extreme = (
                Q_j.max(axis=axes, keepdims=True) if data.draw(st.booleans()) else Q_j.min(axis=axes, keepdims=True)
            )
            hit = Q_j == extreme
            w = hit / hit.sum(axis=axes, keepdims=True)
            Q_hat.append(truncate(Q_j, hood, w))
        h_hat = truncated_policy_gradient(mdp, theta, tuple(Q_hat), kappa)
        bound = lemma4_vector(D[:, kappa], mdp.gamma)
        # Of the whole gradient, and so of each block.
        assert np.sqrt(sum(np.sum((h_i - g_i) ** 2) for h_i, g_i in zip(h_hat, gradient, strict=True))) <= bound + 1e-8


def switch(gamma):
    """Agent 0 moves to a_0 xor s_1 and is paid for being in 1; agent 1 keeps its state, which is 0."""
    P_0 = np.zeros((2, 2, 2, 2))
    for s_0, s_1, a_0 in np.ndindex(2, 2, 2):
        P_0[s_0, s_1, a_0, a_0 ^ s_1] = 1.0
    P_1 = np.broadcast_to(np.eye(2)[None, :, None, :], (2, 2, 1, 2))
    start = np.array([1.0, 0.0])
    r = (np.array([[0.0, 0.0], [1.0, 1.0]]), np.zeros((2, 1)))
    return NetworkedMDP(nx.path_graph(2), (P_0, P_1), r, gamma, (start, start))


def test_lemma4_gaps_is_tight():
    """Weights that expect the other s_1 turn Q_0 around: the error of Q moves by twice the gap with a_0."""
    from sacrepro.exact import evaluate

    mdp = switch(0.1)
    theta = uniform_theta(mdp)
    V, D = evaluate(mdp, theta).V, decay_profile(mdp, theta)[:, 0]
    assert pytest.approx([0.1, 0.0], abs=1e-9) == D
    Q_hat = []
    for j in range(2):
        Q_j = q_function(mdp, V[j], j)
        w = np.zeros(np.broadcast_shapes(Q_j.shape, (2, 2, 2, 1)))
        w[(slice(None), 1) if j == 0 else (1, slice(None), 1)] = 1.0  # all on s_1 = 1; agent 1 has no gap
        Q_hat.append(truncate(np.broadcast_to(Q_j, w.shape), (j,), w))
    error = np.linalg.norm(truncated_policy_gradient(mdp, theta, tuple(Q_hat), 0)[0] - policy_gradient(mdp, theta)[0])
    # The rest is lost because the blocks of different s_0 are orthogonal.
    assert 0.94 <= error / lemma4_vector(D, mdp.gamma) <= 1.0 + 1e-9


def test_lemma4_gaps_is_needed_for_every_agent():
    """The mean of the gaps is what counts: a bound from the agent's own gap alone would fail."""
    from sacrepro.exact import evaluate
    from sacrepro.instances.relay import broadcast

    mdp = broadcast(6, gamma=0.9)
    theta = uniform_theta(mdp)
    D = decay_profile(mdp, theta)
    assert D[0, 1] == pytest.approx(0.0, abs=1e-9)  # the hub itself loses nothing
    V, gaps = evaluate(mdp, theta).V, D[:, 1]
    opposed = []
    for j in range(mdp.n):
        Q_j = q_function(mdp, V[j], j)
        hood = neighborhood(mdp.graph, j, 1)
        outside = [k for k in range(mdp.n) if k not in hood]
        axes = tuple(outside + [k + mdp.n for k in outside])
        # Largest entry when the hub takes action 1, least when it takes action 0.
        act = [1] * Q_j.ndim
        act[mdp.n] = 2
        extreme = np.where(
            np.arange(2).reshape(act), Q_j.max(axis=axes, keepdims=True), Q_j.min(axis=axes, keepdims=True)
        )
        hit = np.broadcast_to(Q_j, np.broadcast_shapes(Q_j.shape, extreme.shape)) == extreme
        opposed.append(truncate(Q_j, hood, hit / hit.sum(axis=axes, keepdims=True)))
    h_hat = truncated_policy_gradient(mdp, theta, tuple(opposed), 1)
    error = float(np.linalg.norm(h_hat[0] - policy_gradient(mdp, theta)[0]))
    assert error > lemma4_vector(gaps[:1], mdp.gamma) + 0.01
    assert 0.3 * lemma4_vector(gaps, mdp.gamma) < error <= lemma4_vector(gaps, mdp.gamma) + 1e-9


@pytest.mark.parametrize("document", [SIS, THREE, SMALL])
def test_the_sampler_draws_from_the_kernels_it_never_tabulates(document):
    network = load_dict(document)
    sampler, mdp = Sampler(network), network.mdp()
    rng = np.random.default_rng(0)
    s = np.stack([rng.integers(0, S, 40) for S in sampler.state_sizes])
    a = np.stack([rng.integers(0, A, 40) for A in sampler.action_sizes])
    u = rng.random(s.shape)
    following = sampler.next_states(s, a, u)
    for i in range(network.n):
        for c in range(40):
            law = mdp.P[i][tuple(s[j, c] for j in mdp.neighbors[i])][a[i, c]]
            assert following[i, c] == (u[i, c] >= np.cumsum(law)[:-1]).sum()
            assert sampler.rewards(s, a)[i, c] == mdp.r[i][s[i, c], a[i, c]]
    inside = np.array(sorted(neighborhood(network.graph, 0, 1)))
    part = sampler.among(inside)
    others = np.setdiff1d(np.arange(network.n), inside)
    s[others] = 0
    whole = sampler.next_states(s, a, u)[inside]
    assert np.array_equal(part.next_states(s[inside], a[inside], u[inside]), whole)


@pytest.mark.parametrize("document", [SIS, THREE])
def test_certificates_lie_above_and_simulations_below_what_is_exact(document, monkeypatch):
    network = load_dict(document)
    mdp = network.mdp()
    D = certified_decay(mdp, uniform_theta(mdp), None, range(diameter(mdp.graph) + 1)).lower
    bounds = certificates(network, range(network.n), D.shape[1])
    assert (bounds.uniform.truncated >= D - 1e-9).all()
    assert (bounds.every.truncated >= bounds.uniform.truncated).all()
    assert (bounds.paper_q >= D.max(axis=0) - 1e-9).all()
    assert (bounds.every.truncated[:, :2].max(axis=0) < bounds.paper_q[:2]).any()
    monkeypatch.setattr("sacrepro.adviser.sampling.ROUNDS", 1)
    monkeypatch.setattr("sacrepro.adviser.sampling.SEARCHED", 10_000)
    found = measured(network, range(3), 2, tol=0.2, seed=0, clock=Clock(1e4), simulate_all=True)
    simulated = [entry for entry in found if entry.method == "simulation"]
    exact = [entry for entry in found if entry.method == "exact"]
    assert len(simulated) == len(exact) == 3
    for entry in simulated:
        assert (entry.lower <= D[entry.agent, : len(entry.lower)] + 1e-9).all()
    assert sum(entry.lower[0] for entry in simulated) > 0.3 * sum(D[entry.agent, 0] for entry in simulated)
    for entry in exact:
        assert np.allclose(entry.lower, D[entry.agent, : len(entry.lower)], atol=1e-7)


@settings(max_examples=30)
@given(st.data())
def test_advice_on_any_small_network_holds(data):
    """Isolated agents, one-state agents, γ = 0 and rewards of 0 included."""
    mdp = data.draw(mdps(max_n=3, max_size=2))
    advice = advise(of_model(mdp), data.draw(st.sampled_from([0.01, 0.5, 5.0])), seconds=0.0, table="truncated")
    D = decay_profile(mdp, uniform_theta(mdp))
    for row in advice.rows:
        largest = D[:, row.kappa].max() if row.kappa < D.shape[1] else 0.0
        assert largest <= row.certified + 1e-9
        assert row.certified <= row.paper + 1e-12
        assert row.measured == pytest.approx(largest, abs=1e-7)
    assert "RECOMMENDATION: " in words(of_model(mdp), advice)


def test_eccentricities_are_exact_or_above():
    graph = nx.disjoint_union(nx.path_graph(4), nx.star_graph(2))
    assert eccentricities(graph).tolist() == [3, 2, 2, 3, 1, 2, 2]
    large = nx.random_labeled_tree(700, seed=0)
    exact = nx.eccentricity(large)
    assert all(bound >= exact[i] for i, bound in enumerate(eccentricities(large)))


def test_advice_on_the_karate_club_is_confirmed_by_a_run(monkeypatch):
    """A search finds no decay above ε at the κ that is recommended, and finds some at κ before it."""
    network = load(KARATE)
    advice = advise(network, 0.2, seconds=0.0)
    assert (advice.certified, advice.measured, advice.recommended) == (3, 2, 2)
    assert advice.shown_for == "the uniform policy"
    assert advice.paper == next(k for k in range(99) if 0.8 ** (k + 1) * 1.05 / 0.2 <= 0.2)
    assert advice.learnable == 1
    text = recommendation(advice)
    assert "κ = 2 is shown to be enough for the uniform policy, where the median table has" in text
    assert "κ = 1 is the largest whose median table an episode can fill, which nothing shows to be enough" in text
    assert "more than 100,000, the most that count as fillable: ten visits each in 1,000,000 steps" in text
    assert "take κ" not in text
    told = re.search(r"ask for ε = ([\d.]+) or more", text)
    assert advise(network, float(told.group(1)), seconds=0.0).measured == 1
    monkeypatch.setattr("sacrepro.adviser.sampling.ROUNDS", 0)  # corners and random starts are enough here
    lower, _ = least_decay(
        network, Sampler(network), 0, 2, distances(network.adjacency, 0), 0.1, np.random.default_rng(1), 1e4
    )
    assert (lower <= [row.truncated for row in advice.rows[:2]]).all()
    assert lower[0] > 0.2  # so κ = 0 would not do
    larger = advise(network, 1.3, seconds=0.0)
    assert larger.certified == 1
    assert recommendation(larger).startswith("take κ = 1. It is certified")
    assert "s/iteration: not measured" in words(network, larger)


def test_advice_on_three_thousand_autonomous_systems_comes_from_bounds_for_all_of_them(tmp_path):
    """Hubs of 252 neighbors have no tables; C comes from counts, and what three agents show is not said of the rest."""
    graph = nx.random_internet_as_graph(3000, seed=0)
    (tmp_path / "as.txt").write_text("".join(f"{i} {j}\n" for i, j in graph.edges))
    document = yaml.safe_load(KARATE.read_text())
    document |= {"graph": {"edges_file": "as.txt"}, "agents": {}}
    network = load(written(tmp_path, document))
    assert max(degree for _, degree in network.graph.degree) == 252
    advice = advise(network, 0.95, seconds=0.0)
    assert (advice.certified, advice.measured, advice.recommended) == (2, 1, 1)
    assert recommendation(advice).startswith("take κ = 1, which is shown to be enough for the uniform policy")
    assert not advice.measurements
    assert "run time" in advice.cut
    assert advice.rows[1].over > 0.05  # hubs and their neighbors cannot fill their tables
    assert "whose critics hardly see an entry twice: run κ = 0 beside it" in recommendation(advice)
    hub = max(graph, key=graph.degree)
    alone = advise(network, 0.95, "q", [hub], seconds=2.0)
    assert alone.rows[0].measured <= advice.rows[0].measured


def test_a_large_error_needs_no_advice_and_bad_questions_are_refused():
    network = load_dict(SIS)
    assert "any κ will do" in recommendation(advise(network, 100.0, seconds=0.0))
    assert "any κ will do" in recommendation(advise(network, 100.0, "gradient", seconds=0.0))
    for error in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="the error must be a number above 0"):
            advise(network, error)
    for arguments, error_of, message in (
        ({"of": "J"}, ValueError, "the error is of q or gradient"),
        ({"error": "1"}, TypeError, "the error must be a number, got '1'"),
        ({"seconds": float("nan")}, ValueError, "seconds must be a number of at least 0, got nan"),
        ({"seconds": -1.0}, ValueError, "seconds must be a number of at least 0, got -1.0"),
        ({"seconds": None}, TypeError, "seconds must be a number, got None"),
        ({"T": 0}, ValueError, "T must be at least 1, got 0"),
        ({"T": 1.5}, TypeError, "T must be an integer, got 1.5"),
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1"),
        ({"agents": [True]}, TypeError, "an agent is an integer, got True"),
        ({"table": "q*"}, ValueError, "the table is td or truncated, got 'q\\*'"),
        ({"agents": [10]}, ValueError, "agent 10 is not in the model"),
        (
            {"network": sacrepro.as_coupled(network.mdp())},
            TypeError,
            "expected a network as .*, got CoupledMDP; where n",
        ),
        ({"network": network.simulator()}, TypeError, "got Simulator; a simulator shows no kernels that could be"),
        ({"network": ModelSteps(network.mdp())}, TypeError, "got ModelSteps; a simulator shows no kernels"),
        ({"network": "mine.yaml"}, TypeError, "expected a network as sacrepro.load returns it, .* got str$"),
    ):
        with pytest.raises(error_of, match=message):
            advise(**{"network": network, "error": 1.0, **arguments})


@pytest.mark.parametrize("of", ["q", "gradient"])
def test_a_model_is_advised_as_the_file_that_it_was_loaded_from(of):
    """Also one whose kernels read the sum of the neighbors' states; up to rounding, as tables stand for counts."""
    network, counts = load("workflow/networks/friends.yaml"), COUNTED["sis"](nx.cycle_graph(4), gamma=0.8)
    for one, other in ((network.mdp(), network), (counts, of_model(counts.expanded()))):
        found, expected = (advise(model, 0.3, of, seconds=0.0) for model in (one, other))
        assert len(found.rows) == len(expected.rows) > 1
        for row, same in zip(found.rows, expected.rows, strict=True):
            assert row._replace(learner_bytes=0.0) == pytest.approx(
                same._replace(learner_bytes=0.0), rel=1e-9, nan_ok=True
            )
        assert [row.kappa for row in found.agents] == [row.kappa for row in expected.agents]
        assert (found.recommended, found.shown_for) == (expected.recommended, expected.shown_for)
    assert found.agents[3].name == "3"


@pytest.mark.parametrize("of", ["q", "gradient"])
def test_rows_of_gradient_and_q_and_chosen_agents(of):
    network = load_dict(THREE)
    chosen = advise(network, 0.5, of, [1, 4], seconds=0.0)
    everyone = advise(network, 0.5, of, seconds=0.0)
    assert not chosen.everyone
    assert {entry.agent for entry in chosen.measurements} == ({1, 4} if of == "q" else set(range(5)))
    assert {entry.agent for entry in everyone.measurements} == set(range(5))
    for row, all_rows in zip(chosen.rows, everyone.rows, strict=True):
        assert row.certified <= all_rows.certified + 1e-12
        assert row.certified <= row.paper
    assert chosen.rows[4].certified == 0.0  # nothing is farther than the diameter


def test_a_measured_iteration_predicts_run_time():
    network = load_dict(SIS)
    advice = advise(network, 1.0, T=50, seconds=600.0)
    timed = [row for row in advice.rows if not np.isnan(row.seconds)]
    assert len(timed) >= 2
    assert all(row.seconds > 0 and row.measured_T == 50 for row in timed)
    assert "steps timed just now" in words(network, advice)


def test_the_clock_is_asked_before_anything_is_built_for_many_agents(monkeypatch):
    def built(*_):
        raise AssertionError("this takes longer than is left")

    monkeypatch.setattr("sacrepro.adviser.settings.TIMED_A_SECOND", 1.0)
    monkeypatch.setattr("sacrepro.adviser.measured.SAMPLED_A_SECOND", 1.0)
    monkeypatch.setattr("sacrepro.adviser.pilot.FASTEST", 1.0)
    monkeypatch.setattr("sacrepro.adviser.measured.Sampler", built)
    monkeypatch.setattr("sacrepro.instances.network.labelled._sampled", built)
    said: list[str] = []
    advice = advise(ring(60), 0.3, seconds=20.0, progress=said.append)
    assert {"simulation", "run time"} <= set(advice.cut)
    assert "outer iterations for each κ and seed would take" in advice.pilot.note
    # What is drawn is placed while there is time, and takes from it.
    assert said.index("layout") < next(k for k, what in enumerate(said) if what.startswith("light cone"))


@pytest.mark.parametrize("n", [20, 70])
def test_agents_of_one_state_are_advised_however_many_axes_their_tables_have(n):
    rules = {"states": ["on"], "actions": ["wait", "act"], "kernel": {"probabilities": {"on": 1}}, "reward": "a == act"}
    advice = advise(load_dict({"graph": {"family": "path", "n": n}, "gamma": 0.8, **rules}), 0.1, seconds=1.0)
    assert advice.recommended == 0


def test_of_many_agents_no_graph_of_networkx_is_made_and_neighborhoods_are_listed_once(monkeypatch):
    network = load_dict(SIS | {"graph": {"edges": [[k, k + 1] for k in range(3000)]}})
    advice = advise(network, 0.3, seconds=0.0)
    assert advice.farthest == 3000
    assert "graph" not in vars(network.links)
    assert sorted(network.graph.edges) == [(k, k + 1) for k in range(3000)]
    listed = []
    monkeypatch.setattr(problem, "hoods", lambda *given: listed.append(given) or cells.hoods(*given))
    theta = [np.zeros(r_i.shape) for r_i in network.r]
    samples(network.simulator(), theta, 0, kappa=1, T=5, h=1.0, t0=2.0, seeds=range(4))  # one at a time
    assert len(listed) == 1


@pytest.mark.parametrize(
    "graph",
    [
        nx.empty_graph(1),
        nx.path_graph(2),
        nx.disjoint_union(nx.path_graph(3), nx.empty_graph(2)),
        nx.star_graph(SPREAD + 20),
        nx.path_graph(SPREAD + 20),
        nx.disjoint_union(nx.cycle_graph(SPREAD), nx.path_graph(5)),
    ],
)
def test_every_graph_has_a_place_on_the_page(graph):
    place = layout(graph)
    assert place.shape == (len(graph), 2)
    assert np.isfinite(place).all()
    assert np.abs(place).max() <= 2.0
    assert len({(round(x, 9), round(y, 9)) for x, y in place}) == len(graph) or len(graph) > SPREAD
    assert np.array_equal(place, layout(graph))


def test_the_verb_writes_what_it_says(tmp_path, capsys):
    path = tmp_path / "net.yaml"
    cli.main(["new", str(path)])
    outputs = [str(tmp_path / name) for name in ("a.csv", "a.json")]
    figures = [str(tmp_path / name) for name in ("a.svg", "b.svg", "a.png")]
    options = ["--error", "0.3", "--agent", "ann", "--seconds", "0"]
    cli.main(["advise", str(path), *options, "--output", *outputs, "--figure", *figures])
    printed = capsys.readouterr().out
    assert "RECOMMENDATION: take κ = 2. It is certified" in printed
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [row["kappa"] for row in rows] == [str(k) for k in range(len(rows))]
    written = json.loads((tmp_path / "a.json").read_text())
    assert written["certified"] == 2
    assert written["text"] in printed
    assert written["network"]["agents n"] == "5, 5 edges, connected"
    assert written["rows"][1]["certified"] == pytest.approx(float(rows[1]["certified"]))
    uncounted = [written["rows"][-1][name] for name in ("hood_median", "hood_max", "whole", "measured_T", "seconds")]
    assert uncounted == [None] * 5  # no neighborhood is empty, nor is a table of everything no whole one
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    with pytest.raises(ValueError, match="there is no agent 'zoe'"):
        cli.main(["advise", str(path), *options, "--agent", "zoe"])
    for extra, message in (
        (["--output", str(tmp_path / "x.txt")], r"x.txt: expected a name ending in .csv, .json"),
        (["--error", "-1"], "--error: expected a finite number above 0, got '-1'"),
        (["--seconds", "nan"], "--seconds: expected a finite number of at least 0, got 'nan'"),
        (["--seconds", "-1"], "--seconds: expected a finite number of at least 0, got '-1'"),
        (["--seed", "-1"], "--seed: expected an integer of at least 0, got '-1'"),
    ):
        with pytest.raises(SystemExit):
            cli.main(["advise", str(path), *options, *extra])
        assert message in capsys.readouterr().err
    assert not (tmp_path / "x.txt").exists()


def test_a_summary_of_a_model(tmp_path):
    from sacrepro.instances.relay import relay

    text = summary(of_model(relay(3, gamma=0.5)))
    assert re.search(r"spectral radius (in \[1.0000, 1.0000\]|at most 1.0000, nothing known from below), largest", text)
    assert "0 by counts, 3 by table" in text


def test_a_summary_tells_how_agents_begin_and_whether_names_differ():
    document = yaml.safe_load(example()) | {"pi0": {"sick": 0.25}}
    assert dict(about(load_dict(document)))["start π_0"] == "healthy 0.75, sick 0.25"
    own = document | {"agents": {"bob": {"pi0": {"sick": 0.5}}}}
    assert dict(about(load_dict(own)))["start π_0"] == "healthy 0.75, sick 0.25 for 'ann'; others begin otherwise"
    del document["pi0"]
    assert dict(about(load_dict(document)))["start π_0"] == "uniform"
    mdp = random_mdp(nx.path_graph(2), seed=0)
    joint = np.full((2, 2), 0.25)
    told = dict(about(of_model(NetworkedMDP(mdp.graph, mdp.P, mdp.r, 0.5, joint))))
    assert told["start π_0"] == "one joint law"
    sizes = dict(about(of_model(random_mdp(nx.path_graph(2), seed=0, state_sizes=(2, 9)))))
    assert sizes["states S"] == "2 to 9: 0, 1; others have others"


def test_the_decay_rate_is_the_smaller_of_lemma3_and_the_influence_matrix():
    told = summary(load_example())
    assert "not below γ, so by Lemma 3 Q_i decays at rate ρ = γ = 0.8, or faster\n" in told
    assert told.splitlines()[-1].startswith("influence series     advise adds it up all the same")
    weak = summary(of_model(sis(nx.path_graph(3), gamma=0.8, beta=(0.1, 0.05))))
    mu = float(re.search(r"μ = (\d\.\d+)", weak).group(1))
    told = re.search(r"below γ, so by the influence matrix Q_i decays at rate ρ = (\d\.\d+), or faster", weak)
    assert float(told.group(1)) == pytest.approx(0.8 * mu, abs=1e-4)
    assert mu < 1.0
    assert "influence series" not in weak
    # What it says of the series: γμ is above 1, and yet it is nowhere above Lemma 3's bound, and below it at κ = 0.
    bounds = certificates(load_example(), [], 4)
    assert (bounds.every.truncated <= bounds.paper_q + 1e-12).all()
    assert bounds.every.truncated[0, 0] < 0.7 * bounds.paper_q[0]


def ring(n, pairs=False):
    graph = {"edges": [[2 * i, 2 * i + 1] for i in range(n)]} if pairs else {"family": "ring", "n": n}
    return load_dict(SIS | {"graph": graph})


def test_the_papers_bound_is_capped_where_every_table_is_full():
    """At κ = D nothing is left out, whatever a bound says; only a bound below ε before that helps."""
    few, many = ring(6), ring(60)
    text = words(few, advise(few, 0.3, seconds=0.0))
    advice = advise(many, 0.3, seconds=0.0)
    assert advise(few, 0.3, seconds=0.0).farthest == 3
    assert "the paper's bound never helps before κ = 3, where every table is the whole network" in " ".join(
        text.split()
    )
    table = text.split("\n\n")[1].splitlines()
    assert [line.split()[0] for line in table] == ["κ", "0", "1", "2", "3"]
    assert advice.paper < advice.farthest == 30
    assert f"the paper's bound asks for κ = {advice.paper}" in recommendation(advice)
    # No bound below ε at any κ looked at, and a ring too long to be full by then.
    assert "the paper's bound is above ε at every κ up to 12" in recommendation(
        advice._replace(paper=None, rows=advice.rows[:13])
    )
    pairs = advise(ring(400, pairs=True), 0.3, seconds=0.0)
    assert (pairs.n, pairs.farthest) == (800, 1)  # counted, where eccentricities are bounds only
    assert "where every table is a whole component" in recommendation(pairs)
    alone = load_dict(SIS | {"graph": {"nodes": ["a", "b"]}})
    assert "nobody has a neighbor" in recommendation(advise(alone, 0.3, seconds=0.0))


def test_a_full_table_is_said_to_save_nothing():
    small = advise(ring(4), 0.01, seconds=0.0)
    assert small.certified == 2
    told = recommendation(small._replace(measured=1))
    assert "nothing is saved. If small tables count more than a bound for every policy, take κ = 1: it" in told
    assert [row.whole for row in small.rows[:3]] == [0, 0, 4]
    assert "κ = 2 is the full table, the whole network for every agent: nothing is saved." in recommendation(small)
    path = load_dict(SIS | {"graph": {"family": "path", "n": 4}})
    advice = advise(path, 0.01, seconds=0.0)
    assert [row.whole for row in advice.rows[:4]] == [0, 0, 2, 4]
    partly = recommendation(advice._replace(certified=2, recommended=2))
    assert "For 2 of 4 agents κ = 2 is the full table, the whole network: nothing is saved for them." in partly
    assert "full table" not in recommendation(advice._replace(certified=1, recommended=1))


def test_episodes_are_a_rule_of_thumb_for_the_median_and_the_largest_table():
    advice = advise(load(KARATE), 1.3, T=100, seconds=0.0)
    row = advice.rows[advice.certified]
    text = recommendation(advice)
    assert row.entries_max > row.entries_median > 2.0
    assert f"take T = {round(10 ** (row.entries_median + 1)):,} or more, for the largest table T = " in text
    assert "ten visits an entry if all are visited alike, a rule of thumb that nothing certifies" in text
    fits = advise(load(KARATE), 1.3, T=round(10 ** (row.entries_median + 0.5)), seconds=0.0)
    assert "The largest would take T = 6.9e11: ten visits an entry if" in recommendation(fits)
    assert "nothing certifies; no episode fills the largest." in recommendation(fits)
    assert "no episode fills" not in recommendation(advise(load_example(), 0.3, seconds=0.0))


def test_near_misses_are_told():
    network = ring(40)
    first = advise(network, 5.0, seconds=0.0)
    value = first.rows[1].certified
    advice = advise(network, 0.95 * value, seconds=0.0)
    assert advice.certified == 2
    told = re.search(r"ε = ([\d.]+) would make κ = 1 enough, with 1/16 of the entries in all", recommendation(advice))
    assert value <= float(told.group(1)) <= 1.1 * value
    assert advise(network, float(told.group(1)), seconds=0.0).certified == 1
    friends = advise(load_example(), 0.3, seconds=0.0)
    assert "4 of 5 agents need κ = 2 only." in recommendation(friends)
    assert [agent.kappa for agent in friends.agents].count(2) == 4
    assert "would make" not in recommendation(friends)  # 0.304 at κ = 2, but the tables are hardly smaller


def test_columns_that_hold_nothing_are_left_out_and_spheres_are_explained():
    network = load(KARATE)
    advice = advise(network, 0.75, seconds=0.0)
    assert "first visits" not in words(network, advice)
    assert "spheres" not in words(network, advice)
    gradient = advise(load_example(), 0.3, "gradient", [0], seconds=0.0)
    assert "or spheres (lemma4_sharp)" in words(load_example(), gradient)
    assert "D_i(κ)" not in words(load_example(), gradient)


def test_counts_have_one_format():
    """Seen: 46,656 beside 2e6, and 3,712 B beside 5.1 kB."""
    counts = [0, 7, 46_656, 999_999_999, 10**9, 2_176_782_336, 9_960_000_000, 10**400]
    told = ["0", "7", "46,656", "999,999,999", "1.0e9", "2.2e9", "1.0e10", "1.0e400"]
    assert [rounded(count) for count in counts] == told
    assert [power(math.log10(count)) for count in counts[1:]] == told[1:]
    text = words(ring(40), advise(ring(40), 0.05, seconds=0.0))
    row = next(line for line in text.splitlines() if line.lstrip().startswith("5 "))
    assert "4,194,304, ≤ 4,194,304" in row
    assert "1.34 GB" in row


def test_decay_rates_by_hand():
    """The last κ ≤ 5 with a bound above 0 decides; a bound of 0 from κ = 1 on, or at once, is no decay."""
    rows = [[8.0, 4.0, 2.0, 0.0, 0, 0, 0], [8.0, 1, 1, 1, 1, 0.25, 1e-9], [3.0, 0, 0, 0, 0, 0, 0], [0.0] * 7]
    assert decay_rates(np.array(rows)) == pytest.approx([0.5, 0.5, 0.0, 0.0], rel=1e-14)
    assert decay_rates(np.array([[4.0], [0.0]])).tolist() == [0.0, 0.0]
    # Each agent's row says its own.
    network = load_example()
    advice = advise(network, 0.3, seconds=0.0)
    rates = decay_rates(certificates(network, range(network.n), len(advice.rows)).every.truncated)
    for i, row in enumerate(advice.agents):
        assert (row.agent, row.name, row.degree) == (i, network.names[i], network.graph.degree(i))
        assert row.rate == rates[i]


class Listed(tuple[int, ...]):
    """Agents that may be gone through, and not searched."""

    def __contains__(self, agent):
        raise AssertionError(f"searched for agent {agent}: with a search for each agent, a million would take hours")


def test_the_agents_asked_about_are_gone_through_once():
    """Seen: of 10^5 agents each was looked for among 10^5, a minute of a minute and a quarter."""
    network = ring(40)
    few = advise(network, 0.05, agents=[3, 7, 8], seconds=0.0)
    text = words(network, few._replace(asked=Listed(few.asked)))
    assert text == words(network, few)
    assert re.search(r"any policy: [^.]*κ = \d+: 3\.", " ".join(text.split()))


def test_where_computing_stops_is_said():
    """Seen: columns that stand still from κ = 7 on, without a word."""
    long = advise(ring(40), 0.001, seconds=0.0)
    assert "bounds from each agent's own outside beyond κ = 7" in long.beyond
    assert "sizes of tables beyond κ = 5" in long.beyond
    assert long.rows[8].td == long.rows[7].td < long.rows[6].td
    assert "not computed: bounds from each agent's own outside beyond κ = 7; " in words(ring(40), long)
    # On a ring of 12 κ = 5 is the last that leaves anybody out.
    short = advise(ring(12), 0.001, seconds=0.0)
    assert short.farthest == 6
    assert short.beyond == ()
    assert "not computed:" not in words(ring(12), short)


def test_bounds_that_would_take_too_long_are_said_to_be_left_out(monkeypatch):
    monkeypatch.setattr("sacrepro.adviser.certificates.MOST_WORK", 1)
    assert "bounds from each agent's own outside" in advise(ring(12), 0.001, seconds=0.0).beyond


def test_the_last_kappa_that_is_looked_at_is_said(monkeypatch):
    monkeypatch.setattr("sacrepro.adviser.certificates.MOST_KAPPA", 3)
    assert advise(ring(12), 0.001, seconds=0.0).beyond == ("any bound beyond κ = 2",)
    monkeypatch.undo()
    enough = advise(ring(12), 4.0, seconds=0.0)
    assert enough.paper is not None
    assert enough.beyond == ()  # nobody asks for more


def test_a_summary_of_large_local_tables_says_what_it_leaves_out(monkeypatch):
    """C_ii compares all pairs of (s, a): 2,000 actions are two million comparisons, and validate would take minutes."""
    document = {"graph": {"edges": [["ann", "bob"]]}, "gamma": 0.5, "states": 2, "actions": 2, "reward": "s"}
    document["kernel"] = {"probabilities": {"1": "0.1 + 0.1 * total"}}
    assert "influence matrix C   spectral radius in [" in summary(load_dict(document))
    large = load_dict(document | {"agents": {"bob": {"actions": 2000}}})

    def refused(network):
        raise AssertionError("the influence matrix was computed")

    monkeypatch.setitem(summary.__globals__, "network_influence", refused)
    text = summary(large)
    assert re.search(r"influence matrix C .*not computed: it would compare .* agent 'bob' has 4,000 \(s, a\)", text)
    assert "by Lemma 3 Q_i decays at rate ρ = γ = 0.5" in text


def test_the_numbers_that_are_compared_are_counted(monkeypatch):
    """Against `largest_distance` itself, for kernels by counts and by table."""
    counted = []
    original = total_variation.largest_distance

    def counting(rows):
        counted.append(math.comb(rows.shape[1], 2) * (rows[:, 0].size + A_COMPARISON))
        return original(rows)

    monkeypatch.setattr(total_variation, "largest_distance", counting)
    star = {"family": "star", "n": 3}
    tables = of_model(build({"model": "random", "graph": star, "seed": 0, "state_sizes": [2, 3, 4]}))
    for network in (load_dict(THREE), load_dict(SIS), tables):
        counted.clear()
        network_influence(network)
        # An agent without a table has a kernel of one entry there, and agents of one kind are compared together.
        assert sum(counted) <= compared(network) <= 1.5 * sum(counted)


TWO = SIS | {
    "graph": {"nodes": list("abcdefgxyz"), "edges": [[*pair] for pair in ("ab", "bc", "cd", "de", "ef", "fg", "xy")]}
}


@pytest.mark.parametrize(
    ("agents", "of", "farthest", "told"),
    [
        ("x", "q", 1, "before κ = 1, where its table is a whole component"),
        ("xy", "q", 1, "before κ = 1, where each table is a whole component"),
        ("d", "q", 3, "before κ = 3, where its table is a whole component"),
        ("d", "gradient", 6, "before κ = 6, where every table that it hangs on is a whole component"),
        ("xy", "gradient", 1, "before κ = 1, where every table that they hang on is a whole component"),
        ("xa", "q", 6, "before κ = 6, where each table is a whole component"),
        ("z", "q", 0, "it has no neighbor, so that no bound is needed"),
        ("", "q", 6, "before κ = 6, where every table is a whole component"),
    ],
)
def test_agents_are_told_of_their_own_component(agents, of, farthest, told):
    network = load_dict(TWO)
    asked = network.agents(list(agents), "two")
    advice = advise(network, 1e-3, of, asked, seconds=0.0)
    assert advice.farthest == farthest
    assert told in recommendation(advice)
    if of == "q" and agents:
        found = evaluation(network, uniform_theta(network.mdp()), asked)
        around = max({"x": 1, "y": 1, "z": 0}.get(agent, 6) for agent in agents)
        assert {len(row.D_low) for row in found.agents} == {min(around, 5) + 1}
        assert ("not computed beyond" in evaluation_words(network, found, "uniform")) == (around > 5)


def test_a_summary_shows_digits_or_that_nothing_is_known():
    """A chain that is read one way has spectral radius 0, which no x > 0 shows; weak influence is not 0.0000."""
    document = SIS | {"graph": {"directed": True, "edges": [["a", "b"], ["b", "c"]]}, "agents": {"a": {}}}
    one_way = {"probabilities": {"sick": "0.5 * (count(sick) > 0)"}}
    told = summary(load_dict(document | {"kernel": one_way}))
    assert re.search(r"spectral radius at most \S+, nothing known from below, largest row sum", told)
    weak = {"probabilities": {"sick": "0.2 + 0.001 * count(sick)"}}
    told = summary(load_dict(SIS | {"graph": {"family": "ring", "n": 5}, "kernel": weak}))
    low, high, mu = map(float, re.search(r"radius in \[(\S+), (\S+)\], largest row sum μ = (\S+)", told).groups())
    assert 0.0 < low <= 0.0021 >= high > 0.0
    assert mu == pytest.approx(0.002)
    assert f"ρ = {0.002 * SIS['gamma']:.3g}, or faster" in told
