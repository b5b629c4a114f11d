"""The parts of the site: docstrings as Markdown, formulas as MathML, signatures as they are written."""

import re
from pathlib import Path

import pytest

import sacrepro
from sacrepro.study.report.reference import described, name_entry, reference
from sacrepro.study.report.site import LONG, mathml

ROOT = Path(__file__).parents[2]


def test_every_page_has_its_place_in_the_navigation():
    """Else the site refuses to be built."""
    templates = "".join(path.read_text() for path in (ROOT / "paper/site").glob("*.md"))
    pages = [*ROOT.glob("paper/*.md"), *ROOT.glob("paper/*.ipynb"), *ROOT.glob("*.md")]
    places = {path.relative_to(ROOT).with_suffix("").as_posix() for path in pages} - {"README"}
    assert len(places) > 10
    listed = re.findall(r"^(?:.* <)?([\w/]+)>?$", templates, flags=re.MULTILINE)
    assert sorted(places) == sorted(places & {*listed})
    assert len([place for place in listed if place in places]) == len(places)


DOC = """Q_i of eq. (3) near q*, see `evaluate`.

tol, work : by default 1e-10,
      or more. memory_limit : bytes; [0, 1].    T : steps.
Raises ValueError for both.

>>> 1 + 1
2"""


def test_a_docstring_becomes_a_list_of_its_entries_with_links_and_examples():
    assert described(DOC, own="q_function").split("\n\n") == [
        "Q\\_i of eq. (3) near q\\*, see [`evaluate`](/apis/evaluate.md).",
        "`tol, work`\n: by default 1e-10, or more.",
        "`memory_limit`\n: bytes; \\[0, 1\\].",
        "`T`\n: steps.",
        "Raises ValueError for both.",
        "```pycon\n>>> 1 + 1\n2\n```",
    ]


def test_formulas_are_mathml_that_may_end_a_line_where_they_are_long():
    short, long = (
        "macron(r)",
        "norm(hat(h)_i - nabla_(theta_i) J) <= sum_(j in N) D_j (kappa) + c rho^(kappa+1) / (1-gamma)",
    )
    known = mathml([short, long])
    assert known[short].count("<math>") == 1
    assert "\u00af" in known[short]
    assert "\u0304" not in known[short]
    parts = [re.sub("<[^>]+>", "", part) for part in known[long].split("<wbr>")]
    assert len(parts) > 2
    assert "".join(parts).startswith("‖ℎ^𝑖−∇𝜃𝑖𝐽‖≤")
    assert all(part.count("(") == part.count(")") for part in parts if len(part) <= LONG)
    assert mathml([]) == {}
    with pytest.raises(ValueError, match="1 formulas became 2"):
        mathml(["x$ $y"])


def test_the_reference_has_every_public_name_once_with_its_signature():
    entries = [entry for room in reference() for entry in room["names"]]
    assert sorted(entry["name"] for entry in entries if "." not in entry["name"]) == sacrepro.__all__
    doors = {entry["name"]: entry["signature"] for entry in entries if "." in entry["name"]}
    assert doors["adapters.frames.to_frame"].startswith("to_frame(result: object, mdp: object=None, *, agents:")
    assert "adapters.pettingzoo.parallel_env" in doors
    for entry in entries:
        assert "'" not in entry["signature"].replace("= '", "").replace("',", "").replace("')", ""), entry["signature"]
        assert entry["signature"].count("(") == entry["signature"].count(")")
        assert entry["first"]
    found = name_entry("Policy")
    assert {"of", "from_logits"} <= {member["signature"].partition("(")[0] for member in found["members"]}
