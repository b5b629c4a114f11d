"""Weights of edges in formulas, `sum(w * (s_j == sick))`, at every door, and GML: what is asked for is read, once."""

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adviser.network_files import load_dict, written
from sacrepro.adviser.advice import advise
from sacrepro.adviser.describe import about
from sacrepro.exact.values import evaluate
from sacrepro.instances.network.files import load
from sacrepro.instances.network.formula import parse
from sacrepro.instances.network.labelled import network_influence
from sacrepro.learn.algorithm1 import sac
from sacrepro.model.policy import uniform_theta
from sacrepro.simulate.rollout import Simulator

SICK = "0.05 + sum(w * (s_j == sick)) - 0.01 * a if s == healthy else 0.6"
BODY = {
    "gamma": 0.8,
    "states": ["healthy", "sick"],
    "actions": ["wait", "treat"],
    "kernel": {"probabilities": {"sick": SICK}},
    "reward": "(s == healthy) + 0.1 * (a == wait)",
}
EDGES = [["ann", "bob", 0.25], ["bob", "cid", 0.5], ["cid", "ann", 0.125], ["bob", "dan", 0]]


def document(edges=EDGES, directed=False, formula=SICK, **more):
    graph = {"edges": edges} | ({"directed": True} if directed else {})
    return BODY | {"graph": graph, "kernel": {"probabilities": {"sick": formula}}} | more


@st.composite
def weighted(draw):
    n, directed = draw(st.integers(1, 4)), draw(st.booleans())
    pairs = itertools.permutations(range(n), 2) if directed else itertools.combinations(range(n), 2)
    edges = [(j, i, draw(st.integers(0, 9)) / 64) for j, i in pairs if draw(st.booleans())]
    return n, directed, edges


def of(n, directed, edges, formula=SICK, order=None):
    graph = {"nodes": list(order or range(n)), "edges": [list(edge) for edge in edges]}
    return load_dict(document(formula=formula) | {"graph": graph | ({"directed": True} if directed else {})})


@settings(max_examples=50, deadline=None)
@given(weighted())
def test_kernels_are_the_table_written_out(found):
    n, directed, edges = found
    network = of(*found)
    w = {(j, i): x for j, i, x in edges} | ({} if directed else {(i, j): x for j, i, x in edges})
    for i in range(n):
        hood = sorted({i, *network.graph[i]})
        table = np.empty((2,) * len(hood) + (2, 2))
        for *states, a in np.ndindex(*table.shape[:-1]):
            s = dict(zip(hood, states, strict=True))
            sick = 0.05 + sum(w.get((j, i), 0.0) for j in hood if s[j] == 1) - 0.01 * a if s[i] == 0 else 0.6
            table[(*states, a)] = 1.0 - sick, sick
        assert np.abs(network.P[i] - table).max() <= 1e-15


@settings(max_examples=25, deadline=None)
@given(weighted(), st.randoms(use_true_random=False))
def test_metamorphoses(found, random):
    """Relabelled agents, edges in another order, weights scaled with a constant that undoes it; equal weights count."""
    n, directed, edges = found
    one = of(*found)
    J = evaluate(one.mdp(), uniform_theta(one)).J
    label = random.sample([f"x{k}" for k in range(n)], n)
    moved = [
        (label[j], label[i], x) if directed or random.random() < 0.5 else (label[i], label[j], x) for j, i, x in edges
    ]
    random.shuffle(moved)
    others = [of(n, directed, moved, order=label), of(n, directed, moved, order=sorted(label))]
    others.append(of(n, directed, [(j, i, 8 * x) for j, i, x in edges], SICK.replace("w *", "w / 8 *")))
    for other in others:
        assert abs(evaluate(other.mdp(), uniform_theta(other)).J - J) <= 1e-9
    equal = of(n, directed, [(j, i, 0.125) for j, i, _ in edges])
    counted = of(n, directed, [(j, i) for j, i, _ in edges], SICK.replace("sum(w * (s_j == sick))", "count(sick) / 8"))
    assert all(np.abs(one - other).max() <= 1e-15 for one, other in zip(equal.P, counted.P, strict=True))


def test_weights_matter():
    """Necessary: of two graphs that differ in one weight, only the agents at that edge differ."""
    one, other = load_dict(document()), load_dict(document([*EDGES[:3], ["bob", "dan", 0.1]]))
    assert [np.array_equal(x, y) for x, y in zip(one.P, other.P, strict=True)] == [True, False, True, False]
    assert network_influence(one).toarray()[3, 1] == 0.0 < network_influence(other).toarray()[3, 1]


def test_validate_tells_the_weights_and_whose_kernels_read_them():
    told = dict(about(load_dict(document())))
    low, high = min(x for *_, x in EDGES), max(x for *_, x in EDGES)
    assert told["weights"] == f"{low:g} to {high:g} on all edges; read by the kernels of all agents"
    own = document() | {"agents": {"ann": {"kernel": {"probabilities": {"sick": "0.5"}}}}}
    assert dict(about(load_dict(own)))["weights"].endswith("read by the kernels of 3 agents")
    alike = document([[*edge[:2], 0.1] for edge in EDGES])
    assert dict(about(load_dict(alike)))["weights"].startswith("0.1 on all edges")
    plain = document([edge[:2] for edge in EDGES], formula="0.1 * count(sick)")
    assert "weights" not in dict(about(load_dict(plain)))


def test_every_door_reads_the_same_weights(tmp_path):
    graph = nx.Graph()
    graph.add_weighted_edges_from(EDGES)
    nx.write_graphml(graph, tmp_path / "g.graphml")
    nx.write_gml(graph, tmp_path / "g.gml")
    nx.write_weighted_edgelist(graph, tmp_path / "g.txt")
    (tmp_path / "g.csv").write_text("".join(f'"{j}",{i},{x:e}\n' for j, i, x in EDGES))
    doors = [{"graphml": "g.graphml"}, {"gml": "g.gml"}, {"edges_file": "g.txt"}, {"edges_file": "g.csv"}]
    own = load(written(tmp_path, document()))
    assert own.names == ("ann", "bob", "cid", "dan")
    for k, door in enumerate(doors):
        network = load(written(tmp_path, document() | {"graph": door}, f"{k}.yaml"))
        assert network.names == own.names
        assert all(np.array_equal(x, y) for x, y in zip(network.P, own.P, strict=True))


def test_an_arrow_has_its_own_weight_each_way(tmp_path):
    arrows = nx.DiGraph()
    arrows.add_weighted_edges_from([("ann", "bob", 0.25), ("bob", "ann", 0.5), ("bob", "cid", 0.125)])
    nx.write_graphml(arrows, tmp_path / "g.graphml")
    nx.write_gml(arrows, tmp_path / "g.gml")
    edges = [list(edge) for edge in arrows.edges.data("weight")]
    for k, graph in enumerate([{"graphml": "g.graphml"}, {"gml": "g.gml"}, {"edges": edges, "directed": True}]):
        network = load(written(tmp_path, document() | {"graph": graph}, f"{k}.yaml"))
        assert network.reads == ((1,), (0,), (1,))
        sick = [network.P[i][..., 0, 1] for i in range(3)]
        assert sick[0][0].tolist() == [0.05, 0.55]
        assert sick[1][:, 0, 0].tolist() == [0.05, 0.3]
        assert sick[2][:, 0].tolist() == [0.05, 0.175]


def test_learner_simulator_and_advice_take_them():
    network = load_dict(document())
    run = {"kappa": 1, "M": 3, "T": 20, "h": 2.0, "t0": 4.0, "eta": 1.0, "seed": 1}
    one, other = (sac(x, uniform_theta(network), **run) for x in (network.simulator(), Simulator(network.mdp())))
    assert all(np.array_equal(x, y) for x, y in zip(one.thetas, other.thetas, strict=True))
    assert advise(network, 1.0, seconds=0).n == 4


def test_sums_see_attributes_own_state_and_names_of_the_neighbors():
    formula = "min(1, 0.1 + sum(w * strength * (s_j != s) * max(1, degree)) / 8 + sum(1) / 64)"
    network = load_dict(document(formula=formula, attributes={"strength": 0.5}))
    assert network.used == {"strength"}
    assert network.P[3][0, 1, 0, 1] == pytest.approx(0.1 + 1 / 64, abs=1e-15)  # dan's edge weighs nothing
    assert network.P[0][1, 0, 0, 0, 1] == pytest.approx(0.1 + 0.375 * 0.5 * 2 / 8 + 2 / 64, abs=1e-15)
    ill = {"states": ["well", "sick"], "kernel": {"probabilities": {"sick": "0.5"}}}
    mixed = document(formula="0.1 + sum(w * (s_j == sick))", agents={"ann": ill | {"reward": "1"}})
    assert load_dict(mixed).P[2][1, 0, 0, 0, 1] == pytest.approx(0.1 + 0.125, abs=1e-15)


REFUSED = [
    (document([edge[:2] for edge in EDGES]), "kernel.probabilities: w inside sum.* the edges of the graph have none"),
    (
        document() | {"graph": {"family": "ring", "n": 4}},
        "kernel.probabilities: w inside sum.* have none; they stand in",
    ),
    (
        document(formula="0.1 * count(sick)"),
        "graph.edges.0: expected two labels.*edges carry nothing but a weight that",
    ),
    (document(formula="0.1 * w"), "knows no 'w'; w has a meaning inside sum.* alone"),
    (document(formula="0.1 * s_j + sum(w)"), "knows no 's_j'; s_j has a meaning inside sum.* alone"),
    (document(formula="sum(w * sum(w))"), r"a sum\(…\) stands inside another"),
    (document(formula="sum(w, 1)"), r"sum\(…\) got 2 arguments"),
    (document(formula="w + sum"), r"sum is a function: write sum\(…\)"),
    (document(formula="sum(w * (s_j == sik))"), r"inside sum\(…\) neighbor 'bob' of agent 'ann' knows no 'sik'"),
    (document(formula="sum(w * (s_j == treat))"), "compares s_j with treat, which is an action"),
    (document(attributes={"w": 1}), "the weight of an edge, but agent 'ann' has a state, action or attribute of this"),
    (document(reward="sum(w)"), r"a reward sees no count\(…\), no state\(…\) and no sum\(…\)"),
    (
        document([*EDGES, ["ann", "eve"]]),
        "graph.edges.4: no weight, but graph.edges.0 has one; all edges have a weight",
    ),
    (document([["ann", "eve"], *EDGES]), "graph.edges.1: a weight, but graph.edges.0 has none"),
    (document([["ann", "bob", "0.3"]]), "graph.edges.0: the weight is a number below 1e300 in size, got '0.3'"),
    (document([["ann", "bob", float("nan")]]), "graph.edges.0: the weight is a number .*, got nan"),
    (document([["ann", "bob", True]]), "graph.edges.0: the weight is a number .*, got True"),
    (document([["ann", "bob", 0.1, 0.2]]), "graph.edges.0: expected two labels"),
    (document([["ann", "bob", 0.1], ["bob", "ann", 0.2]]), "are joined in the other direction, as at graph.edges.0"),
    (
        document([["ann", "bob", 9]]),
        "agent 'ann', states ann: healthy, bob: sick, a = wait: the next state sick gets 9",
    ),
    (
        document(agents={"ann": {"states": ["sick", "healthy"], "kernel": {"probabilities": {"sick": "0.5"}}}}),
        r"inside sum\(…\) 'sick' has another number for agent 'bob' than for its neighbor 'ann'",
    ),
]


@pytest.mark.parametrize(("content", "message"), REFUSED)
def test_refusals(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        load(written(tmp_path, content))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b 0.1\nb c\n", r"g.txt, line 2: no weight, but g.txt, line 1 has one"),
        (
            "source target weight\na b 1\n",
            r"line 1: .* the third column is the weight, expected a number, got 'weight'",
        ),
        ("a b nan\n", "the third column is the weight, expected a number, got 'nan'"),
        ("a b 1_0\n", "the third column is the weight, expected a number, got '1_0'"),
        ("a b 1e999\n", "line 1: the weight is a number below 1e300 in size, got inf"),
        ("a b 0.1 0.2\n", "line 1: .*: 4 labels, expected 2"),
        ("a b 0.1\nb a 0.2\n", "line 2: 'b' and 'a' are joined in the other direction"),
        ("source target\na b 1\n", "line 1: 'source' and 'target' look like the header"),
    ],
)
def test_lists_that_are_refused(tmp_path, text, message):
    (tmp_path / "g.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        load(written(tmp_path, document() | {"graph": {"edges_file": "g.txt"}}))


@pytest.mark.parametrize("formula", [SICK, "0.1 * count(sick)"])
@pytest.mark.parametrize("door", ["graphml", "gml"])
def test_what_else_an_edge_carries_is_refused(tmp_path, door, formula):
    graph = nx.Graph([("ann", "bob", {"length": 2.5})])
    getattr(nx, f"write_{door}")(graph, tmp_path / "g")
    with pytest.raises(ValueError, match=r"edge ann - bob has length = .*; edges carry nothing but a weight"):
        load(written(tmp_path, document(formula=formula) | {"graph": {door: "g"}}))
    graph = nx.Graph([("ann", "bob", {"weight": 0.5})])
    getattr(nx, f"write_{door}")(graph, tmp_path / "g")
    if formula != SICK:
        with pytest.raises(ValueError, match=r"edge ann - bob has weight = .*; edges carry nothing but a weight"):
            load(written(tmp_path, document(formula=formula) | {"graph": {door: "g"}}))


def test_a_formula_of_equal_weights_costs_nothing_more_to_read():
    assert parse("sum(w * (s_j == sick))").summed == {"w", "s_j", "sick"}
    assert parse("count(sick)").summed == set()
    assert parse("sum(1)").summed == {"s_j"}


PLAIN = BODY | {"kernel": {"probabilities": {"sick": "0.05 + 0.1 * count(sick) + x * 0 + 0.1 * a"}}}


def gml(tmp_path, text, rest=PLAIN):
    (tmp_path / "g.gml").write_text(text)
    return load(written(tmp_path, rest | {"graph": {"gml": "g.gml"}}))


def test_gml_is_graphml_in_other_words(tmp_path):
    graph = nx.krackhardt_kite_graph()
    nx.set_node_attributes(graph, {v: v / 4 for v in graph}, "x")
    graph.graph.clear()  # its name, which is refused
    nx.write_gml(graph, tmp_path / "k.gml")
    nx.write_graphml(graph, tmp_path / "k.graphml")
    one, other = (load(written(tmp_path, PLAIN | {"graph": {kind: f"k.{kind}"}})) for kind in ("gml", "graphml"))
    assert one.names == other.names
    assert sorted(one.graph.edges) == sorted(other.graph.edges)
    assert one.attributes["x"].tolist() == other.attributes["x"].tolist()
    ids = gml(tmp_path, "# made by hand\ngraph [ node [ id 7 x 1 ] node [ id 3 x 2.5 ] edge [ source 3 target 7 ] ]")
    assert ids.names == ("7", "3")
    assert ids.reads is None
    arrow = gml(
        tmp_path, "# directed here\ngraph [ directed 1 node [ id 7 x 1 ] node [ id 3 x 2 ] edge [ source 3 target 7 ] ]"
    )
    assert arrow.reads == ((1,), ())


def test_a_number_of_graphml_is_none_of_python(tmp_path):
    graph = nx.Graph([("ann", "bob", {"weight": 0.5})])
    nx.write_graphml(graph, tmp_path / "g")
    (tmp_path / "g").write_text((tmp_path / "g").read_text().replace(">0.5<", ">1_0<"))
    with pytest.raises(ValueError, match="edge ann - bob has weight = '1_0', expected a number"):
        load(written(tmp_path, document() | {"graph": {"graphml": "g"}}))


NODES = 'node [ id 1 label "a" x 1 ] node [ id 2 label "b" x 1 ]'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "g.gml is not readable GML: input contains no graph"),
        ("graph [", "g.gml is not readable GML: "),
        ("graph 3", r"g.gml is not readable GML: expected graph \["),
        ("graph [ " + "a [ " * 5000 + "]" * 5001, "g.gml is not readable GML"),
        (f"graph [ {NODES} node [ id 2 ] ]", "node id 2 is duplicated"),
        (f"graph [ {NODES} edge [ source 1 target 9 ] ]", "undefined target 9"),
        (f'graph [ {NODES} node [ id 3 label "a" ] ]', "node 3: there is another node 'a'"),
        (f"graph [ {NODES} node [ id 3 ] ]", "node 3: it has no label, and others have"),
        (f'graph [ {NODES} node [ id 3 label "c" x "0.3" ] ]', "node 'c' has x = '0.3', which is text; only numbers"),
        (f'graph [ {NODES} node [ id 3 label "c" x 1 x 2 ] ]', r"node 'c' has x = .1, 2., which is no number"),
        (
            f'graph [ {NODES} node [ id 3 label "c" graphics [ w 2 ] ] ]',
            "node 'c' has graphics = .*, which is no number",
        ),
        (f'graph [ name "club" {NODES} ]', "name = 'club' of the whole graph is not read: remove it"),
        (f"graph [ directed 0 directed 1 {NODES} ]", "g.gml: directed is 0 or 1, said once, got 0 and 1"),
        (f"graph [directed 2 {NODES} ]", "g.gml: directed is 0 or 1, said once, got 2"),
        (f'graph [ directed "0" {NODES} ]', 'g.gml: directed is 0 or 1, said once, got ""'),
        (f"graph [ {NODES} edge [ source 1 target 1 ] ]", "edge 1, a - a: agent 'a' is joined to itself"),
        (
            f"graph [ multigraph 1 {NODES} edge [ source 1 target 2 ] edge [ source 2 target 1 ] ]",
            "edge 2, .*: 'a' and 'b' are joined again",
        ),
        (f"graph [ {NODES} edge [ source 1 target 2 ] edge [ source 2 target 1 ] ]", "is duplicated"),
        (
            f'graph [ {NODES} node [ id 3 label "c" x 1E-3 ] ]',
            "g.gml: '1E-3' is no number of GML; with an exponent one",
        ),
        (f'graph [ {NODES} node [ id 3 label "c" x -1e5 ] ]', "g.gml: '-1e5' is no number of GML"),
        (f'graph [ {NODES} node [ id 3 label "c" x 1_0 ] ]', "g.gml: '1_0' is no number of GML"),
        (f'graph [ {NODES} node [ id 3 label "c" x 1.5y ] ]', "g.gml: '1.5y' is no number of GML"),
    ],
)
def test_gml_that_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as raised:
        gml(tmp_path, text)
    assert "\n" not in str(raised.value)


def test_a_gml_file_says_itself_what_is_directed(tmp_path):
    (tmp_path / "g.gml").write_text("graph [ node [ id 1 x 1 ] ]")
    for key in ("directed", "nodes"):
        with pytest.raises(ValueError, match=f"graph.{key}: unknown key beside gml"):
            load(written(tmp_path, PLAIN | {"graph": {"gml": "g.gml", key: {"directed": True, "nodes": ["1"]}[key]}}))
