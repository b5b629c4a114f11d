"""Files that a stranger hands in: what a network cannot hold is refused, never dropped, and limits come first."""

import os
import re
import subprocess
import sys
import time
import warnings

import networkx as nx
import numpy as np
import pytest
import yaml

from sacrepro import InputWarning, cli
from sacrepro.adviser.describe import summary
from sacrepro.instances import build
from sacrepro.instances.graphs import build_graph
from sacrepro.instances.network import files
from sacrepro.instances.network.files import MOST_BYTES, appearance, inputs, load, misspellings, read_document
from sacrepro.instances.network.formula import parse
from sacrepro.instances.network.graph_files import edge_list
from sacrepro.instances.network.yaml_text import DEEPEST, MOST_REPEATED, plain

RULES = {
    "gamma": 0.8,
    "states": ["well", "ill"],
    "actions": ["wait", "act"],
    "kernel": {"probabilities": {"ill": "0.1 + 0.1 * s"}},
    "reward": "s",
}


def written(folder, graph, **rules):
    path = folder / "net.yaml"
    path.write_text(yaml.safe_dump({"graph": graph, **RULES, **rules}))
    return path


def listed(folder, text, **graph):
    (folder / "edges.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    return written(folder, {"edges_file": "edges.txt", **graph})


LISTS = [
    ("source,target\n1,2\n2,3\n", "line 1: 'source' and 'target' look like the header of a table"),
    ("From\tTo\nann\tbob\n", "line 1: 'From' and 'To' look like the header of a table"),
    ("source target\n", "line 1: 'source' and 'target' look like the header"),
    ("origin destination\nann bob\n", "line 1: 'origin' and 'destination' look like the header of a table"),
    ("follower,followee\nann,bob\nbob,cid\n", "line 1: 'follower' and 'followee' look like the header of a table"),
    ("person other\n1 2\n2 3\n", "line 1: 'person' and 'other' look like the header of a table"),
    ("a b 3\n", "line 1: 'a b 3': 3 labels, expected 2; .* edges carry nothing"),
    ("a,b,0.5\n", "line 1: 'a,b,0.5': 3 columns, expected 2; edges carry nothing"),
    (
        "a b\nb c\nb a\n",
        "line 3: 'b' and 'a' are joined in the other direction, as at edges.txt, line 1",
    ),
    ("a b\n\na b\n", "line 3: 'a' and 'b' are joined again, as at edges.txt, line 1"),
    ("a b\nb b\n", "line 2: agent 'b' is joined to itself; remove this edge: N_i holds i already"),
    ("a,b,\n", "line 1: 'a,b,': 3 columns, expected 2 and none empty"),
    ("a,,b\n", "line 1: 'a,,b': 3 columns, expected 2 and none empty"),
    ("a;b\n", "line 1: 'a;b': 1 label, expected 2, separated by white space or a comma"),
    ("a b\nc\n", "line 2: 'c': 1 label, expected 2, .* an agent without edges goes into graph.nodes"),
    ("New York,Los Angeles,3\n", "3 columns, expected 2"),
    ("New York\tBoston\n", "3 labels, expected 2; a label with spaces goes into double quotes"),
    ('"a b\n', "line 1: .* the quotes do not match"),
    ("a b#c\n", "line 1: 'a b#c': put white space before the # of a comment, and a label with # in double quotes"),
    ("% sym\na b\n", "line 1: '% sym': comments begin with #"),
    ("// a\na b\n", "line 1: '// a': comments begin with #"),
    ("", "edges.txt: no line holds an edge; expected two labels a line"),
    ("# nothing\n", "edges.txt: no line holds an edge"),
    ('[["a","b"]]', "line 1: "),
    ("('a', 'b')\n", "does not look like a label"),
    ("'a' 'b'\n", "\"'a'\" does not look like a label: .* put a label with quotes or brackets in double quotes"),
    ("graph [\n]\n", "line 1: 'graph \\[': '\\[' does not look like a label"),
    ("a: b\nb: c\n", "'a:' does not look like a label"),
    ("a\x00 b\n", "does not look like a label"),
    ("a -> b\n", "line 1: 'a -> b': arrows are not read; edges say who may influence whom, in both directions unless"),
    ("<graphml/>", "edges.txt: this is no list of edges but XML; give GraphML under the key graphml"),
    (b"\xe9 b\n", r"edges.txt is not UTF-8 text \(byte 0xe9 at position 0\); save it as UTF-8"),
    ("a b\n".encode("utf-16"), "edges.txt is not UTF-8 text"),
    ("a" * 300 + " b\n", "graph: a label has 1 to 255 characters, got 'aaa"),
]


@pytest.mark.parametrize(("text", "message"), LISTS)
def test_what_is_no_list_of_edges_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as raised:
        load(listed(tmp_path, text))
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith(f"{tmp_path}/net.yaml: ")


@pytest.mark.parametrize(
    "text",
    [
        "a b\nb c\n",
        "\ufeffa b\nb c\n",
        "a b\r\nb c\r\n",
        "a b\rb c",
        "\n\na b\n\n  \nb c\n\n",
        "# who knows whom\na b # friends\n  # and\nb,c#\n".replace("c#", "c #"),
        "a,b\nb , c\n",
        "a\tb\nb\t\tc\n",
        '"a" b\n"b","c"\n',
    ],
)
def test_lists_of_edges_written_in_many_ways_are_one_graph(tmp_path, text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network = load(listed(tmp_path, text))
    assert network.names == ("a", "b", "c")
    assert sorted(network.graph.edges) == [(0, 1), (1, 2)]


@pytest.mark.parametrize("name", ["g.gml", "g.GEXF", "g.net"])
def test_other_formats_are_told_what_makes_graphml_of_them(tmp_path, name):
    nx.write_gml(nx.path_graph(3), tmp_path / name)
    with pytest.raises(ValueError, match=rf"{name}: expected a text file with two labels a line, .*write_graphml"):
        load(written(tmp_path, {"edges_file": name}))
    nx.write_graphml(nx.read_gml(tmp_path / name), tmp_path / "g.graphml")
    assert load(written(tmp_path, {"graphml": "g.graphml"})).n == 3


def test_labels_are_text_and_may_be_quoted():
    assert edge_list('"New York" Boston\nNew York, "a, ""b"" # c"\n01 1\n', "x") == [
        ["New York", "Boston"],
        ["New York", 'a, "b" # c'],
        ["01", "1"],
    ]


def test_a_header_is_no_header_where_its_words_are_agents(tmp_path):
    assert load(listed(tmp_path, "source target\ntarget sink\n")).n == 3
    assert load(listed(tmp_path, "source target\na b\n", nodes=["source", "target", "a", "b"])).n == 4
    with pytest.raises(ValueError, match=r"edges.txt, line 1: agent 'source' is not among graph.nodes"):
        load(listed(tmp_path, "source target\na b\n", nodes=["a", "b"]))
    with pytest.warns(InputWarning, match=r"line 1: 'person' and 'friend' occur on the first line alone"):
        load(listed(tmp_path, "person friend\nann bob\nbob cid\n"))
    with pytest.warns(InputWarning, match=r"line 1: 'person' and 'friend' occur on the first line alone"):
        load(listed(tmp_path, "person friend\nann bob\n"))


KEY = '<key id="k" for="{0}" attr.name="{1}" attr.type="{2}"/>'
PLAIN = '<graph edgedefault="undirected"><node id="a"/><node id="b"/>{}</graph>'
EDGE = '<edge source="a" target="b"/>'
GRAPHML = [
    (PLAIN.format(EDGE).replace("undirected", "mixed"), "the graph is mixed, expected edgedefault"),
    (
        PLAIN.format(EDGE.replace("<edge", '<edge directed="false"')).replace("undirected", "directed"),
        "edge a - b is undirected, but the graph is directed",
    ),
    (PLAIN.format(EDGE + EDGE).replace("undirected", "directed"), "edge 2, a - b: 'a' and 'b' are joined again"),
    (PLAIN.format(EDGE).replace(' edgedefault="undirected"', ""), "the graph does not say whether it is directed"),
    (PLAIN.format(EDGE.replace("<edge", '<edge directed="true"')), "edge a - b is directed, but the graph is undir"),
    (PLAIN.format(EDGE + EDGE), "edge 2, a - b: 'a' and 'b' are joined again"),
    (
        PLAIN.format(EDGE + '<edge source="b" target="a"/>'),
        "edge 2, b - a: .* are joined in the other direction",
    ),
    (PLAIN.format('<edge source="a" target="a"/>'), "edge 1, a - a: agent 'a' is joined to itself; remove this edge"),
    (PLAIN.format('<edge source="a" target="c"/>'), "edge 1, a - c: there is no node 'c'"),
    (
        KEY.format("edge", "weight", "double") + PLAIN.format(EDGE.replace("/>", '><data key="k">2</data></edge>')),
        "edge a - b has weight = '2'; edges carry nothing",
    ),
    (
        KEY.format("node", "team", "string") + PLAIN.format('<node id="c"><data key="k">red</data></node>'),
        "node 'c' has team = 'red', which is text; only numbers are read as attributes",
    ),
    (
        KEY.format("node", "on", "boolean") + PLAIN.format('<node id="c"><data key="k">true</data></node>'),
        "node 'c' has on = 'true', which is a boolean; only numbers",
    ),
    (
        KEY.format("node", "on", "int") + PLAIN.format('<node id="c"><data key="k">1.5</data></node>'),
        r"node 'c' has on = '1.5', expected a number \(int\)",
    ),
    (
        PLAIN.format('<node id="c"><data key="k">1</data></node>'),
        "node 'c' has k = '1', which is not declared",
    ),
    (
        KEY.format("graph", "name", "string") + PLAIN.format('<data key="k">club</data>'),
        "<data> of the whole graph .name = 'club'. is not read: remove it",
    ),
    (PLAIN.format("") * 2, "holds 2 graphs, expected one"),
    ("", "holds 0 graphs, expected one"),
    (PLAIN.format('<node id="c"><graph/></node>'), "node 'c': <graph> is not read: remove it"),
    (PLAIN.format("<hyperedge/>"), "<hyperedge> of the whole graph is not read"),
    (PLAIN.format('<node id="a"/>'), "node 'a': there is another node of this id"),
    ("<x>" * 50_000 + "</x>" * 50_000, "holds 0 graphs, expected one"),
    (
        KEY.format("node", "x", "int")
        + PLAIN.format('<node id="c"><data key="k">1</data><data key="k">2</data></node>'),
        "node 'c' has x twice",
    ),
    (
        KEY.format("node", "x", "int")
        + KEY.format("node", "x", "double").replace('"k"', '"j"')
        + PLAIN.format('<node id="c"><data key="k">1</data><data key="j">2</data></node>'),
        "node 'c' has x twice",
    ),
    (KEY.format("node", "x", "int") * 2 + PLAIN.format(""), "the key 'k' is declared twice, or has two defaults"),
    (
        KEY.format("node", "x", "int").replace("/>", "><default>1</default><default>2</default></key>")
        + PLAIN.format(""),
        "the key 'k' is declared twice, or has two defaults",
    ),
    (PLAIN.format('<node id="c">well</node>'), "node 'c': the text 'well' is not read: remove it"),
    (PLAIN.format('<node id="c" x="1"/>'), "node 'c': x = '1' is not read: remove it"),
    (PLAIN.format(EDGE.replace("/>", ' weight="2"/>')), "edge a - b: weight = '2' is not read: remove it; edges carry"),
]


@pytest.mark.parametrize(("inside", "message"), GRAPHML)
def test_graphml_that_is_no_undirected_simple_graph_with_numbers_is_refused(tmp_path, inside, message):
    (tmp_path / "g.graphml").write_text(f'<graphml xmlns="http://graphml.graphdrawing.org/xmlns">{inside}</graphml>')
    with pytest.raises(ValueError, match=f"graph.graphml: g.graphml: {message}"):
        load(written(tmp_path, {"graphml": "g.graphml"}))


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (nx.MultiDiGraph([("a", "b"), ("a", "b")]), "joined again"),
        (nx.MultiGraph([("a", "b"), ("a", "b")]), "joined again"),
        (nx.Graph([("a", "b", {"weight": 2.0})]), "edge a - b has weight = '2.0'"),
        (nx.karate_club_graph(), "club = 'Mr. Hi', which is text|of the whole graph .name|edge 0 - 1 has weight"),
    ],
)
def test_what_networkx_writes_is_read_or_refused(tmp_path, graph, message):
    nx.write_graphml(graph, tmp_path / "g.graphml")
    with pytest.raises(ValueError, match=message):
        load(written(tmp_path, {"graphml": "g.graphml"}))
    bare = nx.Graph(graph.edges())
    nx.set_node_attributes(bare, 3, "beta")
    nx.write_graphml(bare, tmp_path / "g.graphml")
    network = load(written(tmp_path, {"graphml": "g.graphml"}))
    assert network.names == tuple(map(str, bare))
    assert {frozenset((network.names[i], network.names[j])) for i, j in network.graph.edges} == {
        frozenset(map(str, edge)) for edge in bare.edges
    }
    assert network.attributes["beta"].tolist() == [3.0] * len(bare)


def test_a_document_type_of_xml_is_not_read(tmp_path):
    laughs = "".join(f'<!ENTITY a{k} "{f"&a{k - 1};" * 10}">' for k in range(1, 10))
    (tmp_path / "g.graphml").write_text(f'<!DOCTYPE x [<!ENTITY a0 "ha">{laughs}]><graphml>&a9;</graphml>')
    with pytest.raises(ValueError, match=r"declarations of a DTD .* are not read"):
        load(written(tmp_path, {"graphml": "g.graphml"}))


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (
            {"edges": [["a", "b"], ["b", "a"]]},
            "graph.edges.1: 'b' and 'a' are joined in the other direction",
        ),
        ({"edges": [["a", "b"], ["a", "b"]]}, "graph.edges.1: 'a' and 'b' are joined again"),
        ({"edges": [["a", "b", 2]]}, "graph.edges.0: expected two labels, .*; edges carry nothing"),
        ({"edges": ["a-b"]}, r"graph.edges.0: expected two labels, such as \[ann, bob\], got 'a-b'"),
        ({"edges": {"a": "b"}}, "graph.edges: expected a list, got"),
        ({"edges": [["a", None]]}, "graph.edges.0: a label is text or an integer, got None; put it in quotes"),
        ({"edges": [[1.0, 2]]}, "graph.edges.0: a label is text or an integer, got 1.0; put it in quotes"),
        ({"edges": [["", "b"]]}, "graph: a label has 1 to 255 characters, got ''"),
        ({"edges": [["a", "b"], ["a", "b"]], "directed": True}, "graph.edges.1: 'a' and 'b' are joined again"),
        ({"edges": [["a", "a"]], "directed": True}, "graph.edges.0: agent 'a' is joined to itself"),
        ({"edges": [["a", "b", 2]], "directed": True}, "graph.edges.0: expected two labels, .*; edges carry nothing"),
        ({"edges": [["a", "b"]], "directed": "yes"}, "graph.directed: expected a boolean, got 'yes'"),
        ({"edges": [["a", "b"]], "weights": [1]}, "graph.weights: unknown key beside edges"),
        ({"nodes": {"a": {"team": "red"}}}, "graph.nodes.a.team: expected a number, got 'red'"),
        ({"nodes": {"a": {"on": True}}}, "graph.nodes.a.on: expected a number, got True"),
        ({"nodes": [1.0]}, "graph.nodes.0: expected text or an integer, got 1.0"),
    ],
)
def test_inline_graphs_are_held_to_the_same(tmp_path, graph, message):
    with pytest.raises(ValueError, match=message):
        load(written(tmp_path, graph))


def test_attributes_are_not_dropped_beside_a_named_model(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text("graph: {nodes: {a: {beta: 0.3}}}\ngamma: 0.5\nmodel: {name: sis}\n")
    with pytest.raises(ValueError, match=r"graph.nodes.a.beta: a named model knows no attributes"):
        load(path)


def test_an_integer_is_written_as_one(tmp_path):
    with pytest.raises(ValueError, match=r"states: expected an integer or a list, got 2.0"):
        load(written(tmp_path, {"edges": [["a", "b"]]}, states=2.0))


# What costs without end.


@pytest.mark.parametrize("text", ["[" * 30_000, "{a: " * 30_000, "- " * 30_000, "? " * 30_000])
def test_nesting_has_a_limit(text):
    with pytest.raises(ValueError, match=f"nested more than {DEEPEST} deep"):
        plain(text)


def test_a_deeply_nested_file_does_not_end_the_interpreter(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text("[" * 30_000)
    done = subprocess.run([sys.executable, "-m", "sacrepro", "validate", str(path)], capture_output=True, text=True)
    assert done.returncode == 1
    assert (
        done.stderr
        == f"sacrepro: {path}: line 1, column {DEEPEST + 1}: lists and mappings are nested more than "
        + (f"{DEEPEST} deep\n")
    )


def bombs():
    step = "a{0}: &a{0} "
    yield "&a0 [1, 1]\n" + "".join(step.format(k) + f"[{', '.join([f'*a{k - 1}'] * 10)}]\n" for k in range(1, 12))
    yield "&a0 {x: 1}\n" + "".join(step.format(k) + f"{{<<: [*a{k - 1}, *a{k - 1}]}}\n" for k in range(1, 90))
    yield "&a0 {x: 1}\n" + "".join(step.format(k) + f"{{<<: *a{k - 1}, y{k}: 1}}\n" for k in range(1, 3000))


@pytest.mark.parametrize("text", [f"a0: {bomb}" for bomb in bombs()])
def test_aliases_and_merge_keys_cost_what_they_are_long(text):
    start = time.process_time()
    with pytest.raises(ValueError, match=f"aliases and merge keys stand for more than {MOST_REPEATED:,} values"):
        plain(text)
    assert time.process_time() - start < 5


def test_aliases_and_merge_keys_mean_what_yaml_means():
    text = (
        "base: &b {x: 1, y: 2}\nother: &o {y: 3, z: 4}\none: {<<: *b, y: 5}\ntwo: {<<: [*b, *o], w: 6}\nlist: [*b, 7]\n"
    )
    assert plain(text) == yaml.safe_load(text)
    assert list(plain(text)["two"]) == list(yaml.safe_load(text)["two"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1e400", "line 1, column 4: 1e400 is too large for a number, at most 1.8e308"),
        ("a: -1.0e999", "line 1, column 4: -1.0e999 is too large"),
        ("a: 1e-400", "line 1, column 4: 1e-400 is too small for a number, it would be read as 0"),
        ("a: " + "9" * 5000, "line 1, column 4: an integer of 5000 digits; at most 308, or put it in quotes"),
        ("a: 1\n---\nb: 2", "line 2, column 1: a second document begins here"),
        ("a: *b", r"line 1, column 4: the alias \*b stands for nothing"),
        ("a: &a {b: *a}", r"line 1, column 11: the alias \*a stands inside the value that it names"),
        ("<<: 3", "<< merges mappings, got 3"),
        ("a: !!set {b}", "the tag '!!set' is not read"),
        ("a: !!int x", "'x' is not of the kind !!int"),
        ("1.5: a", "a key is text or an integer, got 1.5; put it in quotes"),
        ("a: \x01", "control characters are not allowed"),
    ],
)
def test_text_that_is_no_plain_value(text, message):
    with pytest.raises(ValueError, match=message):
        plain(text)


def test_scalars_are_those_of_json():
    text = "[no, 010, 1:30, 0x1F, 1_000, 2024-01-01, on, 1, -1, 1e-3, .5, true, null, '1', !!str 1, ~]"
    expected = ["no", "010", "1:30", "0x1F", "1_000", "2024-01-01", "on", 1, -1, 1e-3, 0.5, True, None, "1", "1", None]
    assert plain(text) == expected
    assert [type(x) for x in plain(text)] == [type(x) for x in expected]


def test_edges_of_a_family_are_counted_before_they_are_built(tmp_path):
    message = "complete: these parameters ask for 5.0e9 edges; at most 10,000,000 are built"
    with pytest.raises(ValueError, match=message):
        load(written(tmp_path, {"family": "complete", "n": 100_000}))
    with pytest.raises(ValueError, match=message):
        build_graph({"family": "complete", "n": 100_000})


def test_what_is_no_regular_file_of_bounded_size_in_the_folder_is_not_read(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("pass word and more\n")
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    (folder / "link").symlink_to(tmp_path / "secret.txt")
    (folder / "circle").symlink_to("circle")
    with open(folder / "huge", "wb") as file:
        file.truncate(1 << 40)
    outside = "is not in the folder of the network file, outside which nothing is read"
    for name, message in [
        ("pipe", "pipe is not a regular file"),
        ("folder", "folder: cannot be read: Is a directory"),
        ("huge", f"huge has more than {MOST_BYTES:,} bytes"),
        ("link", f"graph.edges_file: 'link' {outside}"),
        ("circle", f"graph.edges_file: 'circle' {outside}|circle: cannot be read"),
        ("../secret.txt", f"graph.edges_file: '../secret.txt' {outside}"),
        (str(tmp_path / "secret.txt"), outside),
        ("/dev/zero", outside),
        ("a\0b", outside),
    ]:
        for key in ("edges_file", "graphml"):
            start = time.monotonic()
            with pytest.raises(ValueError, match=message.replace("edges_file", key)) as raised:
                load(written(folder, {key: name}))
            assert time.monotonic() - start < 5
            assert "word" not in str(raised.value)
            assert "\n" not in str(raised.value)


@pytest.mark.parametrize("ending", ["yaml", "py"])
def test_a_network_file_is_a_regular_file(tmp_path, ending):
    path = tmp_path / f"net.{ending}"
    os.mkfifo(path)
    for read in (load, read_document) if ending == "yaml" else (load,):
        with pytest.raises(ValueError, match=f"net.{ending} is not a regular file"):
            read(path)
    with pytest.raises(ValueError, match="/dev/zero is not a regular file"):
        load("/dev/zero")


def test_a_network_file_may_be_a_link_and_name_files_beside_it(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "e.txt").write_text("a b\n")
    path = written(tmp_path, {"edges_file": "sub/e.txt"})
    assert load(path).n == 2
    assert inputs(path) == [str(path), str(tmp_path / "sub" / "e.txt")]
    assert load(os.path.relpath(path)).n == 2


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (
            {"states": 60_000, "actions": 60_000, "kernel": {"weights": {"0": 1}}},
            "kernel.weights: the kernels of agent 'a'",
        ),
        (
            {
                "states": 20_000,
                "actions": 20_000,
                "agents": {x: {"kernel": {"table": [1]}} for x in "ab"},
            },
            "agents.a.kernel.table: agent 'a' has 1 neighbors: its table has",
        ),
        ({"states": 70_000}, "states: 70,000 are too many; at most 65,536"),
    ],
)
def test_tables_are_counted_before_they_are_made(tmp_path, rules, message):
    with pytest.raises(ValueError, match=message):
        load(written(tmp_path, {"edges": [["a", "b"]]}, **rules))


def test_tables_of_all_agents_are_counted_together(tmp_path, monkeypatch):
    monkeypatch.setattr("sacrepro.instances.network.evaluated.MOST_ENTRIES_IN_ALL", 100_000)
    hubs = {f"h{k}": {"kernel": {"probabilities": {"ill": "0.5 * state('x0')"}}} for k in range(40)}
    edges = [[hub, f"x{k}"] for hub in hubs for k in range(10)]
    with pytest.raises(ValueError, match="kernel: the rules have more than 100,000 entries in all"):
        load(written(tmp_path, {"edges": edges}, agents=hubs))


def test_attributes_of_all_agents_are_counted_together(tmp_path, monkeypatch):
    monkeypatch.setattr("sacrepro.instances.network.document.MOST_ENTRIES_IN_ALL", 1000)
    nodes = {f"n{k}": {f"x{k}": 1.0} for k in range(100)}
    with pytest.raises(
        ValueError, match=r"graph.nodes.n\d+.x\d+: 11 attributes of 100 agents are more than 1,000 numbers"
    ):
        load(written(tmp_path, {"nodes": nodes}))


# What has no value.


@pytest.mark.parametrize(
    "text",
    [
        "1 if 0/s > 0 else 0",
        "1 if 0 < log(s - 1) else 0",
        "not (0/s)",
        "1 if 0/s else 0",
        "1 if (0/s > 0 or a == 1) else 0",
        "1 if (a == 0 and 0/s > 0) else 0",
        "(0/s) ** 0",
        "1 ** sqrt(s - 1)",
        "min(1, 1/s)",
        "min(1, 1 // s)",
        "tanh(0 ** (s - 1))",
        "0.5 if 0 <= sqrt(s - 1) != 3 else 0.5",
        "0 * (1 if 0/s > 0 else 0)",
    ],
)
def test_what_has_no_value_is_not_swallowed(tmp_path, text):
    for rules, what in (
        ({"reward": text}, "reward: agent 'a', s = well, a = wait: "),
        ({"kernel": {"probabilities": {"ill": text}}}, "kernel.probabilities.ill: agent 'a', s = well, a = wait: "),
        ({"kernel": {"weights": {"ill": text, "well": 1}}}, "kernel.weights.ill: agent 'a', s = well, a = wait: "),
    ):
        with pytest.raises(ValueError, match="has no value there: it divides by 0") as raised:
            load(written(tmp_path, {"edges": [["a", "b"]]}, **rules))
        assert what in str(raised.value)
        assert repr(text) in str(raised.value)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1 / s if s > 0 else 0", [0, 1, 0.5]),
        ("s > 0 and 1 / s > 0.6", [0, 1, 0]),
        ("s == 0 or 1 / s > 0.6", [1, 1, 0]),
        ("1 / (1 + exp(1000 * s - 1000))", [1, 0.5, 0]),
        ("s and 5", [0, 5, 5]),
        ("s or 7", [7, 1, 2]),
    ],
)
def test_branches_not_taken_need_no_value(text, values):
    here = {"s": np.arange(3.0)}
    assert parse(text).value(here, {}, {}).tolist() == pytest.approx(values)
    if "exp" not in text:
        assert [float(eval(text, {"s": s})) for s in range(3)] == pytest.approx(values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-" * 3900 + "s", "nested more than 60 deep"),
        ("(" * 1900 + "s" + ")" * 1900, "too many nested parentheses"),
        ("[" + "-" * 3900 + "s]", "nested more than 60 deep"),
        ("s" + " + s" * 900, "nested more than 60 deep; a sum or product of 60 terms is as deep as that"),
        ("1e400", "a number is too large"),
        (float("nan"), "expected a formula, that is text or a finite number, got nan"),
        ("s = 1", "write == to compare"),
        ("s && a", "write and"),
        ("s ? 1 : 0", "write x if c else y"),
        ("0,5", "decimals have a point"),
        ("s ^ 2", r"a power is x \*\* y"),
        ("s == 'ill'", "names of states and actions stand without quotes"),
        ("50%", "write 0.5 for 50 %"),
        ("1e-400 * s", "1e-400 is too small for a number, it would be read as 0"),
    ],
)
def test_formulas_say_what_to_write(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("s == wait", "compares s with wait, which is an action"),
        ("wait != s", "compares s with wait, which is an action"),
        ("0 < a == ill", "compares a with ill, which is a state"),
        ("1 if state('a') == wait or state('b') == wait else 0", "compares state with wait, which is an action"),
    ],
)
def test_a_state_is_not_compared_with_the_name_of_an_action(tmp_path, text, message):
    """Names stand for numbers, so the wrong one has a value; a name that is both is taken."""
    key = {"kernel": {"probabilities": {"ill": text}}} if "state" in text else {"reward": text}
    with pytest.raises(ValueError, match=f"agent 'a' {message}"):
        load(written(tmp_path, {"edges": [["a", "b"]]}, **key))
    load(written(tmp_path, {"edges": [["a", "b"]]}, reward="(s == ill) + (a == ill)", actions=["well", "ill"]))


@pytest.mark.parametrize("entry", [True, "1", None, {}])
def test_tables_hold_numbers(tmp_path, entry):
    with pytest.raises(ValueError, match=f"reward.table: the table holds {entry!r}, expected a number"):
        load(written(tmp_path, {"edges": [["a", "b"]]}, reward={"table": [[0, entry], [1, 2]]}))


# What looks alike.


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", "\u0430"),
        ("\u00e9", "e\u0301"),
        ("1", "01"),
        ("1", "1.0"),
        ("ann", "ann "),
        ("ann", "a\u200bnn"),
        ("A", "\uff21"),
        ("New York", "New  York"),
        ("o", "\u03bf"),
        ("-1", "-01"),
    ],
)
def test_labels_that_look_alike_are_two_agents_and_a_warning(tmp_path, one, other):
    path = written(tmp_path, {"edges": [[one, "b"], [other, "c"]]})
    with pytest.warns(InputWarning, match=r"net.yaml: graph: .* look alike, but are two agents") as caught:
        assert load(path).n == 4
    assert f"{one!a} and {other!a}" in str(caught[0].message)


def test_labels_that_do_not_look_alike(tmp_path):
    labels = ["Ann", "ann", "10", "1", "0", "00a", "1.5", "15", "-", "вова", "β", "é", "e", "日本", "-1"]
    assert len({appearance(label) for label in labels}) == len(labels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(written(tmp_path, {"nodes": labels}))


WORDS = [["Medici", "Pazzi"], ["Pazzi", "Ridolfi"], ["Albizzi", "Medici"], ["Strozzi", "Ridolfi"]]


@pytest.mark.parametrize(
    ("edge", "told"),
    [
        (["Medicci", "Strozzi"], "'Medici' and 'Medicci' are named alike: is one of them mistyped?"),
        (["Strozi", "Medici"], "'Strozi' and 'Strozzi' are named alike: is one"),
        (["Medeci", "Strozzi"], "'Medici' and 'Medeci' are named alike: is one"),
        (["Strozzi", "Ridofli"], "'Ridofli' and 'Ridolfi' are named alike: is one"),
        (["medici", "Pazi"], "'Pazi' and 'Pazzi' are named alike (and 1 more): is one"),
    ],
)
@pytest.mark.parametrize("reads", [written, lambda folder, graph: listed(folder, lines(graph["edges"]))])
def test_a_word_that_is_a_letter_from_another_is_asked_about(tmp_path, reads, edge, told):
    path = reads(tmp_path, {"edges": [*WORDS, edge]})
    with pytest.warns(InputWarning) as caught:
        load(path)
    assert f"graph: agents {told}" in str(caught[0].message)
    everyone = [*dict.fromkeys(label for pair in [*WORDS, edge] for label in pair)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # whoever lists all agents means them
        load(written(tmp_path, {"edges": [*WORDS, edge], "nodes": everyone}))


def lines(edges):
    return "".join(f"{one} {other}\n" for one, other in edges)


@pytest.mark.parametrize(
    "edges",
    [
        WORDS,
        [["a1", "a2"], ["a2", "a3"], ["bus11", "bus12"]],
        [["NodeA", "NodeB"], ["NodeB", "NodeC"], ["NodeC", "NodeD"]],
        [["J. Smith", "Ann"], ["K. Smith", "Bob"]],
        [["ann", "bob"], ["bob", "bot"]],
    ],
)
def test_numbers_patterns_initials_and_short_words_are_not_asked_about(edges):
    assert not misspellings([*dict.fromkeys(label for edge in edges for label in edge)])


def test_more_labels_than_are_compared_are_not_asked_about(monkeypatch):
    monkeypatch.setattr(files, "MOST_COMPARED", 3)
    assert misspellings(["Medici", "Medicci", "Pazzi"])
    assert not misspellings(["Medici", "Medicci", "Pazzi", "Ridolfi"])


def test_validate_and_advise_ask_about_a_mistyped_agent(tmp_path):
    path = written(tmp_path, {"edges": [*WORDS, ["Medicci", "Strozzi"]]})
    asked = "agents 'Medici' and 'Medicci' are named alike: is one of them mistyped?"
    with pytest.warns(InputWarning, match=re.escape(asked)):
        cli.main(["validate", str(path)])
    advise = [sys.executable, "-m", "sacrepro", "advise", str(path), "--error", "1", "--seconds", "0"]
    done = subprocess.run(advise, capture_output=True, text=True)
    assert done.returncode == 0
    assert asked in done.stderr


def test_a_label_that_is_not_listed_is_an_error(tmp_path):
    nodes = ["Medici", "Pazzi"]
    with pytest.raises(ValueError, match=r"'Medicci' is not among graph.nodes; did you mean 'Medici'\?"):
        load(written(tmp_path, {"nodes": nodes, "edges": [["Medicci", "Pazzi"]]}))
    with pytest.raises(ValueError, match=r"txt, line 1: agent 'Medicci' is not among .*; did you mean 'Medici'\?"):
        load(listed(tmp_path, "Medicci Pazzi\n", nodes=nodes))
    inside = '<node id="Medici"/><edge source="Medici" target="Medicci"/>'
    (tmp_path / "net.graphml").write_text(f'<graphml><graph edgedefault="undirected">{inside}</graph></graphml>')
    with pytest.raises(ValueError, match=r"there is no node 'Medicci'; did you mean 'Medici'\?"):
        load(written(tmp_path, {"graphml": "net.graphml"}))


def test_a_warning_is_one_line_of_the_command(tmp_path):
    path = written(tmp_path, {"edges": [["a", "b"], ["\u0430", "c"]]})
    done = subprocess.run([sys.executable, "-m", "sacrepro", "validate", str(path)], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr.startswith(f"sacrepro: warning: {path}: graph: 'a' and '\\u0430' look alike")
    assert done.stderr.count("\n") == 1


def test_attributes_are_named_as_formulas_read_them(tmp_path):
    with pytest.raises(ValueError, match=r"attributes.* is not in Unicode's normal form NFKC"):
        load(written(tmp_path, {"edges": [["a", "b"]]}, attributes={"e\u0301": 1}))


def test_validate_says_what_was_read(tmp_path):
    nodes = {"ann": {"x": 1.5, "k": 2}, "bob": {"k": 4}, **{f"n{k}": {"k": 1} for k in range(6)}}
    lines = summary(load(written(tmp_path, {"nodes": nodes, "edges": [["ann", "bob"]]}, reward="s * k"))).splitlines()
    told = {line.split("  ")[0]: line.split("  ", 1)[1].strip() for line in lines}
    assert told["agents n"].startswith("8, 1 edge, 7 components")
    assert told["labels"] == "'ann', 'bob', 'n0', 'n1', 'n2', 'n3', … (2 more)"
    assert told["attributes"] == "k (integer, 1 to 4), x (real, 1.5, 1 of 8 agents, no formula uses it)"


def test_a_resolved_specification_is_held_to_one_edge_a_pair():
    document = {"graph": {"edges": [["a", "b"], ["b", "a"]]}, **RULES}
    with pytest.raises(ValueError, match=r"graph.edges.1: 'b' and 'a' are joined in the other direction"):
        build({"model": "file", "path": "x.yaml", "document": document})


def test_reading_edges_takes_time_in_proportion_to_their_number():
    text = "\n".join(f"{k} {k + 1}" for k in range(200_000))
    start = time.process_time()
    assert len(edge_list(text, "edges.txt")) == 200_000
    assert time.process_time() - start < 10  # one second or less on a machine at rest


def test_an_unknown_key_is_told_whole(tmp_path):
    with pytest.raises(ValueError, match=r"top level: 'beta \(daily\)' was unexpected; known keys are graph, gamma"):
        load(written(tmp_path, {"edges": [["a", "b"]]}, **{"beta (daily)": 1}))
