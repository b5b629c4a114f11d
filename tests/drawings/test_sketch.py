"""Pictures of instances: arrows and shapes are those of the model, and the page shows what the code draws."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from sacrepro.cli import main
from sacrepro.instances.extremal import signal
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.study.drawings.networks import Role, grouped, roles, sketch, sketched

PAPER = Path(__file__).parents[2] / "paper"


def test_the_page_shows_every_picture_as_it_is_drawn(tmp_path):
    main(["sketches", str(tmp_path)])
    shown = re.findall(r"!\[(\w+)\]\(instances/(\w+)\.svg\)", (PAPER / "instances.md").read_text())
    assert sorted(shown) == sorted((name, name) for name in sketched())
    for name in sketched():
        assert (PAPER / f"instances/{name}.svg").read_bytes() == (tmp_path / f"{name}.svg").read_bytes()
    assert {path.stem for path in (PAPER / "instances").iterdir()} == {*sketched()}
    assert sum(path.stat().st_size for path in (PAPER / "instances").iterdir()) <= 40_000


@pytest.mark.parametrize("name", sketched())
def test_words_are_inside_and_every_agent_is_there(name):
    mdp, does = sketched()[name]
    assert len(does) == mdp.n
    root = ET.fromstring(sketch(name, mdp, does))
    width, height = float(root.get("width")), float(root.get("height"))
    texts = [own for own in root.iter() if own.tag.endswith("text")]
    assert [own.text for own in texts if own.get("text-anchor")] == [str(i) for i in range(mdp.n)]
    for own in texts:
        assert float(own.get("y")) < height
        assert float(own.get("x")) + 5.2 * len(own.text) < width


def test_the_parts_of_agents_are_read_off_the_model():
    assert roles(signal(0.5)) == [Role((), True, False), Role((0,), False, True)]
    rng = np.random.default_rng(0)
    P = tuple(rng.dirichlet([1.0, 1.0], size=(2, 2, 2)) for _ in range(2))
    r = (np.array([[0.0, 1.0], [0.0, 1.0]]), np.full((2, 2), 0.5))
    both = NetworkedMDP(nx.path_graph(2), P, r, 0.5, (np.full(2, 0.5),) * 2)
    assert roles(both) == [Role((0, 1), True, True), Role((0, 1), True, False)]


def test_two_arrows_between_two_agents_do_not_cover_each_other():
    mdp, does = sketched()["td_witness"]
    straight = re.findall(r'd="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)"', sketch("x", mdp, does))
    assert len(straight) == 2
    assert len({height for _, height, _, _ in straight}) == 2


def test_agents_with_the_same_words_are_told_together():
    assert grouped(["a", "b", "", "c"]) == [("a", [0]), ("b", [1, 2]), ("c", [3])]
