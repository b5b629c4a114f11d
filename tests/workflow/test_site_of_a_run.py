"""The site is built by one rule, opens offline, and shows the numbers of its run."""

import csv
import re
from pathlib import Path

import pytest
from browser import CHROMIUM, browser
from runs import finished_once

pytest.importorskip("furo", reason="the extra [site] is not installed")
pytest.importorskip("myst_parser", reason="the extra [site] is not installed")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory, finished):
    return finished_once(tmp_path_factory, "site", "site", after=finished) / "results/site"


def test_nothing_is_fetched_and_every_link_of_a_page_leads_somewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 60
    for page in pages:
        text = page.read_text()
        assert not re.search(r"""<(script|img|link|iframe|source)\b[^>]*(src|href)=["']?(https?:)?//""", text), page
        for target in re.findall(r'(?:href|src)="([^"#?]+)', text):
            if "://" not in target and not target.startswith(("mailto:", "data:")):
                assert (page.parent / target).resolve().exists(), (page, target)
    for style in [*site.rglob("*.css"), *site.rglob("*.js")]:
        assert not re.search(r"""@import|url\(["']?(https?:)?//""", style.read_text()), style


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    if not CHROMIUM:
        pytest.skip("Debian's chromium is not installed")
    with browser(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize(
    "page", ["index", "claims/lemma4", "apis/evaluate", "paper/proofs", "paper/verdicts", "verdicts", "explorer"]
)
def test_a_page_opens_offline_with_its_formulas_and_never_scrolls_sideways(site, shown, page, width):
    shown.resize(width)
    shown.requests.clear()
    shown.open((site / f"{page}.html").as_uri())
    assert shown.requests
    assert all(address.startswith(("file://", "data:")) for address in shown.requests)
    assert shown.run("return document.documentElement.scrollWidth <= innerWidth")
    boxes = shown.run(
        "return [...document.querySelectorAll('.content math')].filter((node) => !node.closest('.table-wrapper'))"
        ".map((node) => node.getBoundingClientRect().right)"
    )
    assert max(boxes, default=0) <= width
    assert shown.run("return document.querySelectorAll('.content math').length") > 0


def test_verdicts_sort_and_filter(site, shown):
    shown.resize(1280)
    shown.open((site / "verdicts.html").as_uri())
    choose = """
        const [name, value] = arguments, form = document.querySelector(".filter");
        form.elements[name].value = value;
        form.dispatchEvent(new Event("input", {bubbles: true}));
        return [...document.querySelector("table.sortable").tBodies[0].rows].filter((row) => !row.hidden)
            .map((row) => [...row.cells].map((cell) => cell.innerText));
    """
    with (site.parent / "claims.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["verdict"] in ("tight", "holds", "vacuous")]
    tight = shown.run(choose, "verdict", "tight")
    assert [row[0] for row in tight] == [row["claim"] for row in rows if row["verdict"] == "tight"]
    assert len(shown.run(choose, "verdict", "all")) == len(rows)
    words = shown.run(choose, "words", "forgets agents")
    assert [row[0] for row in words] == ["lemma3"]
    shown.run(choose, "words", "")
    shown.run("document.querySelectorAll('table.sortable th')[5].click()")
    found = [int(row[5]) for row in shown.run(choose, "words", "")]
    assert found == sorted(int(row["comparisons"]) for row in rows)


def test_the_explorer_shows_the_numbers_of_the_run(site, shown):
    choose = """
        const [name, value] = arguments, field = document.getElementById("choice").elements[name];
        field.value = value;
        field.dispatchEvent(new Event("input", {bubbles: true}));
    """
    read = "return document.querySelector(`[data-series=${arguments[0]}]`).innerText"
    shown.open((site / "explorer.html").as_uri())
    with (site.parent / "claims/lemma3.csv").open() as file:
        rows = list(csv.DictReader(file))
    chosen = [rows[0], rows[len(rows) // 2], rows[-1]]
    assert len({row["left"] for row in chosen}) > 1
    for row in chosen:
        for name, column in (("instance", "instance"), ("policy", "policy"), ("agent", "agent"), ("kappa", "kappa")):
            shown.run(choose, name, row[column])
        assert float(shown.run(read, "D")) == float(row["left"])
        assert float(shown.run(read, "lemma3")) == float(row["right"])
        colours = shown.run("return [...document.querySelectorAll('#shown circle')].map((node) => node.style.fill)")
        assert len(set(colours)) > 1
    address = shown.run("return location.href")
    shown.open("about:blank")
    shown.open(address)
    assert float(shown.run(read, "D")) == float(chosen[-1]["left"])


def test_a_claim_page_has_theorems_counterexamples_and_the_command(site):
    text = re.sub(r"<[^>]+>", "", Path(site / "claims/lemma3.html").read_text())
    for words in ("Counterexamples", "false as written", "snakemake --cores 2 results/claims/lemma3.csv", "lemma3.v"):
        assert words in text
