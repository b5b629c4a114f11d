"""What the README says is so."""

import importlib
import inspect
import pkgutil
import re
import subprocess
from pathlib import Path

import pytest
import yaml

import sacrepro
from sacrepro.archive.files import read_rows
from sacrepro.instances import extremal
from sacrepro.study.bench.exact import VALUES, Timing
from sacrepro.study.claims import CLAIMS
from sacrepro.study.experiments import wireless
from sacrepro.study.record.comparison import by

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = [path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("paper/*.md")]]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text()):
        if "://" not in target:
            assert ((ROOT / page).parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_links_into_a_page_lead_to_a_heading(page):
    for target, place in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", (ROOT / page).read_text()):
        path = (ROOT / page).parent / target if target else ROOT / page
        headings = re.findall(r"^#+ (.+)$", path.read_text(), flags=re.MULTILINE)
        slugs = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
        assert place in slugs or f'id="{place}"' in path.read_text(), f"{target}#{place}"


def test_the_table_names_every_claim_in_the_papers_order():
    rows = re.findall(r"^\| \[`(\w+)`\]\(paper/verdicts\.md#\1\) \|", README, flags=re.MULTILINE)
    assert rows == list(CLAIMS)


def test_the_figures_in_the_repository_are_those_that_pages_show():
    """Two megabytes at most: everything else is drawn by the run."""
    shown = set()
    for page in PAGES:
        shown |= set(re.findall(r"\]\((?:\.\./)?(figures/[^)]+)\)", (ROOT / page).read_text()))
    kept = re.findall(r"^!(figures/.*)$", (ROOT / ".gitignore").read_text(), flags=re.MULTILINE)
    assert set(kept) == shown
    tracked = subprocess.run(["git", "ls-files", "figures"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    assert not (ROOT / ".git").exists() or set(tracked) == shown
    assert sum((ROOT / name).stat().st_size for name in kept) <= 1 << 21


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 150


def test_the_example_runs(capsys):
    code = re.search(r"```python\n(.*?)```", README, flags=re.DOTALL).group(1)
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    before, after = float(printed[0]), float(printed[-1])
    assert after > before + 0.5


@pytest.mark.parametrize("page", ["README.md", "paper/tutorial.md"])
def test_functions_and_classes_are_at_the_front_by_the_names_that_pages_use(page):
    """Seen: `law_cost`, which only `sacrepro.exact` had."""
    text = (ROOT / page).read_text()
    for name in re.findall(r"`(sacrepro(?:\.\w+)+)", text):
        assert pkgutil.resolve_name(name)
    rooms = [importlib.import_module(f"sacrepro.{room}") for room in ("exact", "learn", "simulate", "model")]
    for name in set(re.findall(r"`(\w+)(?:\([^`]*\))?`", text)):
        if any(callable(getattr(room, name, None)) for room in rooms):
            assert name in sacrepro.__all__, name


def test_the_lock_installs_what_the_slurm_profile_needs():
    assert "--profile workflow/profiles/slurm" in (ROOT / "paper/running.md").read_text()
    assert re.search(
        r"^executor: slurm$", (ROOT / "workflow/profiles/slurm/config.yaml").read_text(), flags=re.MULTILINE
    )
    assert "\nsnakemake-executor-plugin-slurm==" in (ROOT / "requirements.lock").read_text()


def test_the_layout_names_what_is_there():
    layout = README.split("## Layout")[1]
    folder = ROOT
    for row in re.findall(r"^\| (`.*?) \|", layout, flags=re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", row):
            place = ROOT / name
            if not place.exists():
                place = folder / name
            assert place.exists(), name
            folder = place.parent


def test_every_instance_is_told_in_words():
    """Those of the study, and those of the counterexamples; `sis_…` stands for all that begin so."""
    page = (ROOT / "paper/instances.md").read_text()
    told = re.findall(r"`([a-z0-9_]+…?)`", page)
    studied = yaml.safe_load((ROOT / "workflow/config/paper.yaml").read_text())["instances"]
    built = [name for name, made in vars(extremal).items() if inspect.isfunction(made) and not name.startswith("_")]
    own = [name for name in built if inspect.getmodule(getattr(extremal, name)) is extremal]
    for name in [*studied, *own]:
        assert name in told or any(name.startswith(kind[:-1]) for kind in told if kind.endswith("…")), name


#: Where a row of the errata stands in the paper, in its order.
IN_THE_PAPER = [
    "Table 1", "(1), product", "N_i^κ", "r_i(s_i, a_i)", "Definition 2", "Lemma 3", "(5)", "(7)", "Lemma 4",
    "truncated Q function", "Algorithm 1", "Discussion", "Assumption 1", "Assumption 3", "Assumption 4",
    "critic step", "C_a", "critic bias", "(8)", "(9)", "Conclusion", "Appendix A", "Proof of Theorem 5",
]  # fmt: skip


def test_the_errata_follow_the_paper():
    page = (ROOT / "paper/errata.md").read_text()
    places = re.findall(r"^\| (?!where)([^|]+) \|", page, flags=re.MULTILINE)
    known = [min(k for k, label in enumerate(IN_THE_PAPER) if label in place) for place in places]
    assert len(places) > 30
    assert known == sorted(known), [
        place for place, one, two in zip(places, known, known[1:], strict=False) if one > two
    ]
    linked = re.findall(r"^\* \[([^\]]+)\]\(#([^)]+)\)", page, flags=re.MULTILINE)
    headings = re.findall(r"^## (.+)$", page, flags=re.MULTILINE)
    assert [(heading, re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")) for heading in headings] == linked


def test_the_errata_are_sorted_by_kind():
    """Each row has one of the kinds, and the list at the head has each row under its kind."""
    page = (ROOT / "paper/errata.md").read_text()
    rows = re.findall(r"^\| (?!where)(.+?) \| \*([^*|]+)\* \|", page, flags=re.MULTILINE)
    listed = dict(re.findall(r"^- \*([^*]+)\*, [^:]+: (.+)$", page, flags=re.MULTILINE))
    assert list(listed) == ["false as written", "proof gap", "constant loose", "reading", "typo"]
    assert len(rows) == len(re.findall(r"^\| (?!where)", page, flags=re.MULTILINE))
    for kind, told in listed.items():
        assert told.split("; ") == [where for where, own in rows if own == kind]


def told_runs(config):
    """The rows of the table of plotted runs, from the configuration."""
    figures = {
        "sac": "objective, stationarity, simulated",
        "methods": "extensions",
        "exact_critic": "exact_critic",
        "critic_error": "critic_error",
        "exact_bias": "exact_bias",
        "mean_step": "mean_step",
        "warm_start": "warm_start",
    }
    for key, figure in figures.items():
        for name, run in config[key].items():
            kappas = ", ".join(map(str, run.get("kappas", [run.get("kappa")])))
            lengths = [run["T"]] if "T" in run else run.get("lengths", [])
            told = ", ".join(f"{T:,}" for T in lengths) or "exact critic"
            yield [
                figure,
                f"`{name}`",
                kappas,
                str(run.get("seeds", "none")),
                f"{run['M']:,}" if "M" in run else "",
                told,
            ]
    for name, run in config["wireless"]["runs"].items():
        yield [
            "wireless_benchmark",
            f"`{name}`",
            str(run["kappa"]),
            str(run["seeds"]),
            f"{run['M']:,}",
            str(wireless.T),
        ]


def told_timings():
    """Milliseconds of the engine and of the fastest peer that was right, by size, on paths and on rings."""
    own = [row for row in read_rows(str(ROOT / "paper/bench_exact.csv"), Timing) if row.quantity == VALUES]
    right = by([row for row in own if row.status == "ok"], "n", "family")
    for n in sorted({n for n, _ in right}):
        told = [str(n)]
        for family in ("path", "ring"):
            case = right.get((n, family), [])
            engine = [row for row in case if row.method == "engine"]
            peers = sorted((row for row in case if row.method != "engine"), key=lambda row: row.seconds)[:1]
            told += [digits(1e3 * row.seconds, 3) for row in engine] or [""]
            told += [f"{digits(1e3 * row.seconds, 3)} `{row.method}`" for row in peers] or [""]
            told += [digits(row.seconds / engine[0].seconds, 2) for row in peers] or [""]
        yield told


def digits(value, count):
    """So many significant digits, without a power of ten."""
    return f"{float(f'{value:.{count}g}'):,g}"


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ("runs", lambda: told_runs(yaml.safe_load((ROOT / "workflow/config/paper.yaml").read_text()))),
        ("timings", told_timings),
    ],
)
def test_tables_of_the_page_of_figures_are_of_what_was_run(mark, told):
    table = (ROOT / "paper/figures.md").read_text().split(f"<!-- {mark} -->\n")[1].split(f"<!-- /{mark} -->")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    assert rows == list(told())
