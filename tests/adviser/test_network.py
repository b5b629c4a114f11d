"""Network files: the language, the kernels it makes against models and tables, and one clear line for every fault."""

import json
import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from network_files import SIS, SMALL, THREE, load_dict, written

import sacrepro
from sacrepro import cli
from sacrepro.bounds.influence import influence_matrix, spectral_radius
from sacrepro.instances import build
from sacrepro.instances.models import sis
from sacrepro.instances.network.files import example, load, resolve, schema
from sacrepro.instances.network.formula import RESERVED, parse
from sacrepro.instances.network.labelled import MOST_ENTRIES, network_influence
from sacrepro.model.kernels import compositions, rank

EXAMPLE = example()


def by_hand(document, i, states, a):
    """The next state's law of agent i of THREE, written out in Python."""
    graph = load_dict(document).graph
    s = states[i]
    beside = [states[j] for j in graph[i]]
    low, mid, top = (beside.count(x) for x in range(3))
    weights = np.array(
        [1 + low * (s == 0) + a, np.exp(0.3 * mid - 0.1 * top), 0.2 + sum(beside) / max(1, len(beside)) + abs(s - 1)]
    )
    return weights / weights.sum()


def test_the_sis_model_by_formula_is_the_sis_model():
    network, model = load_dict(SIS), sis(nx.krackhardt_kite_graph(), gamma=0.8)
    mdp = network.mdp()
    for i in range(mdp.n):
        assert np.allclose(mdp.P[i], model.P[i], rtol=0, atol=1e-15)
        assert np.allclose(mdp.r[i], model.r[i], rtol=0, atol=1e-15)


def test_count_kernels_with_three_states_by_hand():
    mdp = load_dict(THREE).mdp()
    for i in range(mdp.n):
        hood = mdp.neighbors[i]
        for states in np.ndindex(*(3,) * len(hood)):
            everyone = dict(zip(hood, states, strict=True))
            for a in range(2):
                assert np.allclose(mdp.P[i][states][a], by_hand(THREE, i, everyone, a), rtol=0, atol=1e-14)


@pytest.mark.parametrize("document", [SIS, THREE])
def test_the_influence_matrix_needs_no_table(document):
    network = load_dict(document)
    C = network_influence(network)
    assert not network._made
    assert np.allclose(C.toarray(), influence_matrix(network.mdp()).toarray(), rtol=0, atol=1e-15)
    assert C.toarray().max() > 0.1


@pytest.mark.parametrize("S", [1, 2, 3, 4])
@pytest.mark.parametrize("degree", [0, 1, 4])
def test_compositions_are_numbered(degree, S):
    rows = compositions(degree, S)
    assert (rows.sum(axis=1) == degree).all()
    assert len({tuple(row) for row in rows}) == len(rows)
    assert rank(rows, degree).tolist() == list(range(len(rows)))


def test_the_spectral_radius_is_enclosed():
    rng = np.random.default_rng(0)
    for _ in range(20):
        C = rng.uniform(size=(6, 6)) * (rng.uniform(size=(6, 6)) < 0.5)
        truth = max(abs(np.linalg.eigvals(C)))
        low, high = spectral_radius(C)
        assert low <= truth * (1 + 1e-12) + 1e-15
        assert truth <= high * (1 + 1e-12)


def test_a_hub_of_855_neighbors_needs_no_table(tmp_path):
    document = SIS | {"graph": {"family": "star", "n": 856}}
    network = load(written(tmp_path, document))
    C = network_influence(network)
    assert C[[0], [1]] == pytest.approx(0.95 * 0.4)
    with pytest.raises(
        ValueError, match=r"agent '0' has 855 neighbors: its kernel as a table would have 1.9e258 entries"
    ):
        network.P[0]
    with pytest.raises(ValueError, match="for agent '0' with 855 neighbors"):
        network.mdp()


def test_single_neighbors_and_agents_with_other_states(tmp_path):
    document = {
        "graph": {"edges": [["ann", "bob"], ["bob", 7]]},
        "gamma": 0.5,
        "states": 2,
        "actions": 1,
        "kernel": {"probabilities": {1: "0.9 * s + 0.05"}},
        "reward": "s",
        "agents": {
            "bob": {"kernel": {"probabilities": {1: "state('ann') if state(7) == 2 else 0.25 * count(1)"}}},
            7: {
                "states": ["x", "y", "z"],
                "kernel": {"weights": {"x": 1, "y": "total", "z": "1 - total"}},
                "pi0": [0, 0, 1],
            },
        },
    }
    network = load(written(tmp_path, document))
    assert network.names == ("ann", "bob", "7")
    mdp = network.mdp()
    assert mdp.P[1].shape == (2, 2, 3, 1, 2)
    assert mdp.P[1][1, 0, 2, 0, 1] == 1.0  # 7 is in z: bob copies ann
    assert mdp.P[1][1, 0, 0, 0, 1] == 0.25  # ann is in 1, and 7 never is in a state called 1
    assert mdp.P[2][1, 0, 0].tolist() == [0.5, 0.5, 0.0]
    assert mdp.pi0[2].tolist() == [0, 0, 1]
    assert np.allclose(network_influence(network).toarray(), influence_matrix(mdp).toarray(), rtol=0, atol=1e-15)


def test_attributes_of_nodes_and_graphml(tmp_path):
    graph = nx.Graph()
    graph.add_node("no", beta=0.25)
    graph.add_edge("no", "010")
    graph.add_edge("010", "1:30")
    nx.write_graphml(graph, tmp_path / "g.graphml")
    (tmp_path / "edges.txt").write_text("# who knows whom\nno 010\n010,1:30\n")
    text = EXAMPLE.replace("edges: [[ann, bob], [bob, cid], [cid, dot], [dot, ann], [cid, eve]]", "{}")
    text = text.replace("eve: {attributes: {beta: 0.3}}", "010: {attributes: {beta: 0.5}}")
    for source in ("graphml: g.graphml", "edges_file: edges.txt", "edges: [[no, 010], [010, 1:30]]"):
        network = load(written(tmp_path, text.replace("{}", source)))
        assert network.names == ("no", "010", "1:30")
        P = network.P[0]  # axes: no, 010, a
        beta = 0.25 if "graphml" in source else 0.15
        assert P[0, 1, 0, 1] == pytest.approx(1 - 0.98 * (1 - beta))
        assert network.P[2][1, 0, 0, 1] == pytest.approx(1 - 0.98 * 0.85)
        assert network.P[1][1, 0, 0, 0, 1] == pytest.approx(1 - 0.98 * 0.5)


def test_a_python_file_is_a_network(tmp_path):
    source = "from sacrepro.instances.relay import relay\ndef network():\n    return relay(4, gamma=0.5)\n"
    path = written(tmp_path, source, "net.py")
    assert load(path).n == 4
    spec = json.loads(json.dumps(resolve({"model": "file", "path": str(path)})))
    path.unlink()
    assert build(spec).gamma == 0.5


def test_a_python_file_may_return_a_count(tmp_path):
    source = "import networkx as nx\nfrom sacrepro.instances import COUNTED\n"
    source += "def network():\n    return COUNTED['sis'](nx.star_graph(3), gamma=0.5)\n"
    assert load(written(tmp_path, source, "net.py")).P[0].shape == (2,) * 6


def test_attributes_of_nothing_are_none(tmp_path):
    """`attributes:` with nothing behind it, as one leaves it after deleting the last line below."""
    document = {"graph": {"nodes": {"ann": None}}, "gamma": 0.5, "states": 2, "actions": 2, "reward": "s"}
    document |= {"kernel": {"weights": {"0": 1, "1": 1}}, "attributes": None, "agents": {"ann": {"attributes": None}}}
    assert load(written(tmp_path, document)).n == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"document": 3}, "net.yaml: document must be the content of a network file, with the keys graph and gamma"),
        ({"document": {"gamma": 0.5}}, "net.yaml: document must be the content of a network file"),
        ({"source": 3}, "net.yaml: source must be the text of a Python file, got int"),
    ],
)
def test_a_specification_resolved_by_hand_is_refused_if_it_holds_something_else(content, message):
    with pytest.raises(ValueError, match=message):
        build({"model": "file", "path": "net.yaml", **content})


def test_a_resolved_specification_needs_no_file(tmp_path):
    (tmp_path / "edges.txt").write_text("a b\n")
    document = SIS | {"graph": {"edges_file": "edges.txt"}}
    path = written(tmp_path, document)
    spec = json.loads(json.dumps(resolve({"model": "file", "path": str(path)})))
    path.unlink()
    (tmp_path / "edges.txt").unlink()
    assert build(spec).n == 2
    with pytest.raises(ValueError, match="resolve the specification first"):
        build({"model": "file", "path": "x.yaml"})


@pytest.mark.parametrize(
    "text",
    [
        "1 + 2 * -s ** 2 // 3 % 4",
        "0 <= s < 2 and not a == 1 or s == a",
        "min(s, a, 1) + max(exp(s), log(1 + a)) + abs(floor(s / 2)) + ceil(tanh(a)) + sqrt(s)",
        "(s if a else 3) if s > a else -s",
    ],
)
def test_formulas_mean_what_python_means(text):
    names = {
        "min": min,
        "max": max,
        "abs": abs,
        **{f: getattr(np, f) for f in ("exp", "log", "floor", "ceil", "tanh", "sqrt")},
    }
    for s in range(3):
        for a in range(3):
            here = {"s": np.asarray(float(s)), "a": np.asarray(float(a))}
            assert float(parse(text).value(here, {}, {})) == float(eval(text, {}, names | {"s": s, "a": a}))


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "s.__class__",
        "[s for s in (1, 2)]",
        "lambda: 1",
        "(s := 2)",
        "'text'",
        "f'{s}'",
        "s[0]",
        "exp",
        "exp(1, 2)",
        "exp(x=1)",
        "exp(*s)",
        "min()",
        "count(1 + 1)",
        "count(exp(1))",
        "count",
        "state(s=1)",
        "1 if s",
        "",
        "1j",
        "True",
        "s @ a",
        "s << a",
        "~s",
        "s is a",
        "s in a",
        "9" * 400,
        "(" * 500 + "s" + ")" * 500,
        "-" * 200 + "s",
        "s + " * 1500 + "s",
        "\x00",
        None,
        True,
        [1],
    ],
)
def test_what_is_not_in_the_language_is_refused(text):
    with pytest.raises(ValueError, match=r"formula"):
        parse(text)


def test_a_power_tower_costs_nothing():
    assert parse("9 ** 9 ** 9 ** 9").value({}, {}, {}) == np.inf


def changed(**keys):
    return {key: value for key, value in (SIS | keys).items() if value is not None}


PAIR = {"nodes": ["ann", "bob"], "edges": [["ann", "bob"]]}

FAULTS = [
    ("a: b: c", r"line 1, column \d+: mapping values are not allowed"),
    ("graph: [", r"line \d, column \d+: "),
    ("gamma: 0.5\ngamma: 0.6", r"line 2, column 1: the key 'gamma' occurs twice"),
    ("{1: a, '1': b}", "line 1, column 8: the key '1' occurs twice"),
    ("? [a]\n: b", "line 1, column 5: a key is text or an integer, got a list or mapping"),
    ("true: b", "line 1, column 1: a key is text or an integer, got True; put it in quotes"),
    ("!!python/object:os.system x", "line 1, column 1: the tag '!!python/object:os.system' is not read"),
    ("&a [*a]", r"line 1, column 5: the alias \*a stands inside the value that it names"),
    ("", "top level: expected a mapping, got None"),
    (changed(gamma=None), "top level: gamma is missing"),
    (changed(gamma=1), "gamma: 1 must be below 1$"),
    (changed(gamma=-0.5), "gamma: -0.5 must be at least 0$"),
    (changed(gamma=float("nan")), r"gamma: nan must lie in \[0, 1\)$"),
    ({"graph": PAIR, "gamma": float("nan"), "model": {"name": "sis"}}, r"gamma: nan must lie in \[0, 1\)$"),
    (changed(gamma="x"), "gamma: expected a number, got 'x'"),
    (changed(colour=1), r"top level: 'colour' was unexpected; known keys are graph, gamma, model"),
    (changed(kernel={}), "kernel: expected exactly one of probabilities, weights, table, got {}"),
    (
        changed(kernel={"table": [], "weights": {"sick": 1}}),
        "kernel: expected exactly one of probabilities, weights, table",
    ),
    (changed(kernel=None), "kernel: missing; give it for all agents, or a model"),
    (changed(states=["ok", 1]), "states.1: expected text, a name: letters, digits and _, not beginning with"),
    (changed(states=["ok", "not ok"]), "states.1: 'not ok' is not a name: letters, digits and _"),
    (changed(states=["count", "sick"]), "states: 'count' also is a word of formulas"),
    (changed(states=["against", "for"]), "states: 'for' also is a word of formulas"),
    (changed(states=["sick", "sick"]), "states: the name 'sick' occurs twice"),
    (changed(actions=["sick", "wait"]), "'sick' is both a state and an action, with different numbers"),
    (changed(graph={}), "graph: expected one of edges, edges_file, graphml, gml and family, found none of them"),
    (changed(graph={"family": "ring", "edges": []}), "graph: expected one of .*, found edges and family"),
    (changed(graph={"family": "torus"}), r"\.yaml: graph: unknown family 'torus'"),
    (changed(graph={"family": "rng", "n": 3}), r"graph: unknown family 'rng'; known are path.*; did you mean 'ring'\?"),
    (changed(graph={"edgs": []}), r"and family, found none of them, but 'edgs'; did you mean 'edges'\?"),
    (changed(graph={"edges": [], "nods": []}), r"graph.nods: unknown key beside edges; did you mean 'nodes'\?"),
    (changed(kernal={}), r"'kernal' was unexpected; known keys are graph, .*; did you mean 'kernel'\?"),
    (
        changed(agents={"0": {"atributes": {}}}),
        r"agents.0: 'atributes' was unexpected; .*; did you mean 'attributes'\?",
    ),
    (changed(reward="mn(1, s)"), r"unknown function 'mn'; known are count, .*; did you mean 'min'\?"),
    (changed(kernel={"probabilities": {"sik": 1}}), r"has no state 'sik', but .*; did you mean 'sick'\?"),
    (changed(pi0={"SICK": 0.1}), r"pi0.SICK: agent '0' has no state 'SICK', but .*; did you mean 'sick'\?"),
    (changed(kernel={"probabilities": {"SICK": 1}}), r"has no state 'SICK', but .*; did you mean 'sick'\?"),
    (changed(kernel={"probabilities": {"sick": "count(SICK)"}}), r"'SICK' is not a state; .*; did you mean 'sick'\?"),
    (changed(reward="s == SICK"), r"agent '0' knows no 'SICK'; did you mean 'sick'\?"),
    (changed(KERNEL={}), r"'KERNEL' was unexpected; known keys are graph, .*; did you mean 'kernel'\?"),
    (changed(pi0={"sik": 0.1}), r"pi0.sik: agent '0' has no state 'sik', but .*; did you mean 'sick'\?"),
    (changed(kernel={"probabilities": {"sick": "count(sik)"}}), r"'sik' is not a state; .*; did you mean 'sick'\?"),
    (
        changed(kernel={"probabilities": {"sick": "sum(s_j == sik)"}}),
        r"neighbor '1' of agent '0' knows no 'sik'; its states are healthy, sick; did you mean 'sick'\?",
    ),
    (
        changed(graph=PAIR, kernel={"probabilities": {"sick": "state('bobb')"}}),
        r"agent 'bobb' is not a neighbor of 'ann'; did you mean 'bob'\?",
    ),
    (changed(graph={"family": "path", "n": "x"}), "graph: path: n must be an integer, got 'x'"),
    (changed(graph={"family": "path", "n": 0}), "graph: path: n must be at least 1, got 0"),
    (changed(graph={"family": "path", "n": 1.5}), "graph: path: n must be an integer, got 1.5"),
    (changed(graph={"family": "grid", "rows": 1.5, "columns": 2}), "graph: grid: rows must be an integer, got 1.5"),
    (changed(graph={"family": "path"}), "graph: path: n is missing"),
    (changed(graph={"family": "path", "n": 2, "rows": 2}), "graph: path: rows is no parameter; known are n"),
    (
        changed(graph={"family": "grid", "rows": 10**6, "columns": 10**6}),
        "graph: grid: these parameters ask for 1.0e12 agents; at most 10,000,000 are built",
    ),
    (changed(graph={"edges": [], "colour": 1}), "graph.colour: unknown key beside edges"),
    (changed(graph={"edges": []}), "graph: there are no agents"),
    (changed(graph={"edges": [["a"]]}), r"graph.edges.0: expected two labels, such as \[ann, bob\], got \['a'\]"),
    (
        changed(graph={"edges": [["a", "a"]]}),
        "graph.edges.0: agent 'a' is joined to itself; remove this edge",
    ),
    (changed(graph={"nodes": ["a", "a"]}), "graph.nodes: agent 'a' is listed twice"),
    (
        changed(graph=PAIR | {"edges": [["ann", "bobb"]]}),
        "graph.edges.0: agent 'bobb' is not among graph.nodes; did you mean 'bob'?",
    ),
    (changed(graph={"edges_file": "absent.txt"}), "absent.txt: cannot be read: No such file"),
    (
        changed(graph={"edges_file": "three.txt"}),
        "graph.edges_file: three.txt, line 2: 'a b c': 3 labels, expected 2; a label with spaces goes",
    ),
    (changed(graph={"graphml": "three.txt"}), "graph.graphml: three.txt is not readable GraphML: syntax error: line 1"),
    (
        changed(graph=PAIR, agents={"bobb": {}}),
        "agents.bobb: there is no agent 'bobb' in the graph; did you mean 'bob'?",
    ),
    (changed(graph=PAIR, agents={"bob": {"color": 1}}), "agents.bob: 'color' was unexpected"),
    (
        changed(graph=PAIR, agents={"bob": {"attributes": {"betta": 0.1}}}),
        "agents.bob.betta: no other agent has an attribute 'betta'; did you mean 'beta'?",
    ),
    (changed(attributes={"exp": 1}), "attributes.exp: 'exp' cannot name an attribute"),
    (changed(attributes={"beta": float("inf")}), "attributes.beta: expected a number below 1e300 in size, got inf"),
    (changed(reward="s -"), "reward: formula 's -' cannot be read: invalid syntax"),
    (
        changed(reward="s - 1"),
        r"reward: agent '0', s = healthy, a = wait: the reward is -1.0, expected a finite number of at least 0; add a "
        r"constant c ≥ 1 to the formula or table: Q_i shifts by c/\(1-γ\), D_i\(κ\) and ∇J do not change",
    ),
    (
        changed(reward="log(s)"),
        "reward: agent '0', s = healthy, a = wait: the reward is -inf, expected a finite number of at least 0",
    ),
    (changed(reward="count(sick)"), r"reward: neighbors enter kernels only"),
    (
        changed(reward={"table": [[1, 2]]}),
        r"reward.table: the table has shape \(1, 2\); agent '0' needs \(2, 2\): \(S, A\)",
    ),
    (changed(reward={"table": [[1, 2], [3]]}), r"reward.table: the table is ragged"),
    (changed(reward="open"), "reward: agent '0' knows no 'open'"),
    (changed(reward="price"), "reward: agent '0' knows no 'price'; known are a, "),
    (changed(reward="bet0"), "reward: agent '0' knows no 'bet0'; did you mean 'beta0'?"),
    (
        changed(kernel={"probabilities": {"sik": 1}}),
        "kernel.probabilities.sik: agent '0', s = healthy, a = wait has no state 'sik'",
    ),
    (
        changed(graph=PAIR, kernel={"probabilities": {"sick": "0.6 * count(sick) + 0.6 * s"}}),
        r"kernel.probabilities: agent 'ann', s = sick, a = wait, neighbors: 0 in healthy, 1 in sick: "
        r"the next state sick gets 1.2",
    ),
    (
        changed(kernel={"probabilities": {"sick": "sqrt(s - 1)"}}),
        r"kernel.probabilities.sick: agent '0', s = healthy, a = wait: the formula 'sqrt\(s - 1\)' has no value there",
    ),
    (changed(kernel={"probabilities": {"sick": 0.5, "healthy": 0.4}}), "the probabilities sum to 0.9, not to 1"),
    (changed(kernel={"weights": {"sick": 1}}), "kernel.weights: weights of healthy are missing"),
    (
        changed(states=["x1", "x2", "x3"], kernel={"weights": {"x1": 1, "x2": 1, "x3": 1}}, reward=1, pi0={"x2": 0.1}),
        "pi0: probabilities of all but one of x1, x3 are missing",
    ),
    (changed(kernel={"weights": {"sick": "s", "healthy": 0}}), "s = healthy, a = wait: the weights sum to 0.0"),
    (
        changed(kernel={"weights": {"sick": "-s", "healthy": 1}}),
        "the next state sick gets -1.0, expected a finite number",
    ),
    (changed(kernel={"probabilities": {"sick": "count(ill)"}}), r"count\(ill\): 'ill' is not a state"),
    (changed(kernel={"probabilities": {"sick": "state('9')"}}), r"state\('9'\): agent '9' is not a neighbor of '0'"),
    (
        changed(graph=PAIR, kernel={"table": [[0.5, 0.5]]}),
        r"kernel.table: the table has shape \(1, 2\); agent 'ann' needs \(2, 2, 2, 2\): state of ann, "
        r"state of bob, action, next state",
    ),
    (
        changed(graph=PAIR, agents={"ann": {"kernel": {"table": np.full((2, 2, 2, 2), 0.4).tolist()}}}),
        r"agents.ann.kernel.table: agent 'ann', states ann: healthy, bob: healthy, a = wait: the "
        r"probabilities sum to 0.8",
    ),
    (changed(pi0={"sick": 1.5}), "pi0: agent '0': the start distribution gives sick 1.5, expected a number in .0, 1."),
    (changed(pi0={"sick": -0.5}), "pi0: agent '0': the start distribution gives sick -0.5, expected"),
    (changed(pi0=[1.5, -0.5]), "pi0: agent '0': the start distribution gives healthy 1.5, expected"),
    (changed(pi0=[0.5, 0.4]), "pi0: agent '0': the probabilities sum to 0.9, not to 1"),
    (changed(pi0={"sick": "s"}), "pi0.sick: a pi0 does not depend on s"),
    (changed(pi0=[1]), r"pi0: the table has shape \(1,\); agent '0' needs \(2,\)"),
    (changed(model={"name": "sis"}), "actions: a named model brings its own"),
    (
        {"graph": PAIR, "gamma": 0.5, "model": {"name": "ising"}},
        "model.name: 'ising' is not a model on any graph; known are random, sis",
    ),
    ({"graph": PAIR, "gamma": 0.5, "model": {"name": "siss"}}, r"known are random, sis.*; did you mean 'sis'\?"),
    (
        {"graph": PAIR, "gamma": 0.5, "model": {"name": "sis", "beta": 3}},
        "model: sis: beta must be a list of two numbers",
    ),
    (
        {"graph": PAIR, "gamma": 0.5, "model": {"name": "sis", "bta": 3}},
        "model: sis: bta is no parameter; did you mean",
    ),
    (
        {"graph": PAIR, "gamma": 0.5, "model": {"name": "sis", "delta": [2, 2]}},
        r"model: sis: delta must hold probabilities",
    ),
    (
        {"graph": {"family": "star", "n": 60}, "gamma": 0.5, "model": {"name": "sis"}},
        "model: agent '0' has 59 neighbors",
    ),
    (
        changed(graph={"family": "star", "n": 60}, agents={"0": {"kernel": {"probabilities": {"sick": "state('1')"}}}}),
        "agents.0.kernel.probabilities: agent '0' has 59 neighbors: its table has 4.6e18 entries",
    ),
    (changed(graph={"nodes": {"a": {"beta0": 1}}}, attributes={}), "agent 'a' has no attribute|agent 'a' knows no"),
    (changed(graph={"nodes": {"a": {"x": 1}, "b": None}}, reward="x"), "reward: agent 'b' has no attribute 'x'"),
]


@pytest.mark.parametrize(("document", "message"), FAULTS)
def test_every_fault_is_one_line_that_names_file_and_place(tmp_path, document, message):
    (tmp_path / "three.txt").write_text("a b\na b c\n")
    path = written(tmp_path, document)
    with pytest.raises(ValueError, match=message) as raised:
        load(path)
    assert str(raised.value).startswith(str(tmp_path))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def network(:", "line 1: "),
        ("x = 1", r"net\.py: the file must define network\(\)"),
        ("def network():\n    return 3", r"network\(\) returned int, expected a NetworkedMDP"),
        ("def network():\n    return 1 / 0", "line 2: ZeroDivisionError: division by zero"),
        ("raise SystemExit", "line 1: SystemExit"),
        ("import no_such_module_anywhere", "line 1: ModuleNotFoundError"),
    ],
)
def test_faults_of_python_files(tmp_path, source, message):
    path = written(tmp_path, source, "net.py")
    with pytest.raises(ValueError, match=message) as raised:
        load(path)
    assert str(raised.value).startswith(f"{path}: ")


def test_files_that_are_not_text(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"net.yaml is not UTF-8 text \(byte 0xff at position 0\); save it as UTF-8"):
        load(path)
    with pytest.raises(ValueError, match="cannot be read: Is a directory"):
        load(tmp_path)


WORDS = [
    "sick",
    "0.5",
    "[",
    "{",
    ": ",
    "- ",
    "\n",
    "*a",
    "&a ",
    "!!int ",
    "count(",
    "~",
    "1e999",
    "-1",
    "'",
    "\t",
    "<<: ",
    "é",
    "state('eve')",
]


@settings(max_examples=150)
@given(st.data())
def test_mutated_text_loads_or_says_why(tmp_path_factory, data):
    text = EXAMPLE.split("# Agents that differ")[0].split("# The dependence")[1]
    text = "# " + text
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        gone = data.draw(st.integers(0, 12))
        text = text[:at] + data.draw(st.sampled_from(WORDS) | st.text(max_size=3)) + text[at + gone :]
    loads_or_refuses(tmp_path_factory, text.encode("utf-8", "surrogatepass"))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["sick", "wait", "s", "count(sick)", "a", "", "-1"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["sick", "family", "table", "n", "x"]), inner, max_size=2)
    ),
    max_leaves=3,
)


@settings(max_examples=150)
@given(st.data())
def test_mutated_documents_load_or_say_why(tmp_path_factory, data):
    document = json.loads(json.dumps(SMALL))
    for _ in range(data.draw(st.integers(1, 2))):
        place, keys = document, []
        while isinstance(place, (dict, list)) and place:
            options = list(place) if isinstance(place, dict) else list(range(len(place)))
            keys.append((place, data.draw(st.sampled_from(options))))
            place = place[keys[-1][1]]
            if data.draw(st.integers(0, 2)) == 0:
                break
        if keys:
            parent, key = keys[-1]
            if data.draw(st.booleans()):
                parent[key] = data.draw(VALUES)
            else:
                del parent[key]
    loads_or_refuses(tmp_path_factory, yaml.safe_dump(document).encode())


def loads_or_refuses(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "mutated.yaml"
    path.write_bytes(content)
    try:
        network = load(path)
    except ValueError as error:
        refusal = error
    else:
        refusal = None
    if refusal is not None:
        assert type(refusal) is ValueError
        assert str(refusal).startswith(str(path.parent))
        assert "\n" not in str(refusal)
        return
    assert network.n >= 1
    if sum(network.entries(i) for i in range(network.n)) < MOST_ENTRIES:
        network.mdp()


def test_new_writes_a_valid_file_and_validate_describes_it(tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    cli.main(["new", str(path)])
    cli.main(["validate", str(path)])
    printed = capsys.readouterr().out
    assert "agents n             5, 5 edges, connected" in printed
    assert "labels               'ann', 'bob', 'cid', 'dot', 'eve'\n" in printed
    assert "attributes           beta (real, 0.15 to 0.3), recovery (real, 0.3)" in printed
    assert "states S             2: healthy, sick\n" in printed
    assert "actions A            2: wait, treat\n" in printed
    assert "start π_0            healthy 0.9, sick 0.1\n" in printed
    assert "γ·(spectral radius)" in printed
    path.write_text("mine")
    with pytest.raises(ValueError, match=r"mine.yaml exists; --force replaces it"):
        cli.main(["new", str(path)])
    assert path.read_text() == "mine"
    with pytest.raises(ValueError, match=r"mine.yaml: top level: expected a mapping, got 'mine'"):
        cli.main(["validate", str(path)])
    cli.main(["new", str(path), "--force"])
    assert path.read_text() == EXAMPLE


def test_a_bad_file_ends_the_command_with_one_line(tmp_path):
    path = written(tmp_path, changed(gamma=2))
    done = subprocess.run([sys.executable, "-m", "sacrepro", "validate", str(path)], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == f"sacrepro: {path}: gamma: 2 must be below 1\n"
    assert done.stdout == ""


def test_the_schema_describes_every_key_and_the_example_uses_reserved_words_rightly():
    def walk(node):
        if isinstance(node, dict):
            for key, value in node.get("properties", {}).items():
                assert "description" in value, key
            for value in node.values():
                walk(value)

    walk(schema())
    assert RESERVED.isdisjoint(yaml.safe_load(EXAMPLE)["attributes"])
    root = Path(sacrepro.__file__).parent
    assert (root / "instances" / "network" / "network.schema.yaml").exists()


def test_rows_by_counts_store_an_agents_own_entry_first():
    """The order is that of every sum over a row, and so of its rounding."""
    C = network_influence(load_dict(SIS))
    for i in range(C.shape[0]):
        stored = C.indices[C.indptr[i] : C.indptr[i + 1]].tolist()
        assert stored == sorted(stored, key=lambda j, i=i: (j != i, j))
        assert stored[0] == i
