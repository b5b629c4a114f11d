"""Evidence cannot go stale: digests cover what jobs load, manifests list the plan, and what is deleted comes back."""

import json
import os
import re
import shutil

import pytest
from recorder import recording
from runs import EVERY_RULE, ROOT, TINY, contents, copy, finished_once, run, same, shared

from sacrepro.study.__main__ import named, parts
from sacrepro.study.claims import CLAIMS
from sacrepro.study.jobs import JOBS, OF_EXPERIMENTS, job_closure

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The folder of a run of every rule, to be read or copied, and what each of its processes loaded."""
    notes = shared(tmp_path_factory) / "notes"
    folder = finished_once(tmp_path_factory, "every", config=EVERY_RULE, **recording(notes))
    return folder, [json.loads(path.read_text()) for path in notes.glob("*.json")]


def test_every_rule_is_run_once_at_the_least_values(recorded):
    folder, _ = recorded
    ran = {path.relative_to(folder / "logs/benchmarks").parts[0].split(".")[0] for path in folder.rglob("*.tsv")}
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        for log in re.findall(r'"logs/benchmarks/([^/."]+)', path.read_text()):
            asked = {own.function.partition(":")[2] for own in OF_EXPERIMENTS.values()} if log == "{place}" else {log}
            assert asked - {"site"} <= ran, "a rule that no target of a run asks for, but for the site"


def test_every_module_that_a_job_loads_is_in_its_digest(recorded):
    _, notes = recorded
    seen = set()
    for note in notes:
        missing = set(note["modules"])
        for job, words in (named(part, JOBS) for part in parts(note["words"][2:])):  # after --mem-mb N
            chosen = {"claims": {*words} & {*CLAIMS}} if job in {"claim", "adversary", "figure"} else {}
            missing -= job_closure(job, **chosen).keys()
            seen.add(job)
        assert not missing, f"{' '.join(note['words'])[:200]}: {sorted(missing)}"
    assert seen == JOBS.keys() - {"readme", "site", "sketches"}, (
        "a job that no rule runs, but for what a person asks for"
    )


def test_the_manifest_lists_the_files_of_this_plan_and_no_others(recorded, tmp_path):
    """All that a run leaves is in it, and a file of another configuration is not."""
    folder = copy(recorded[0], tmp_path / "run")
    files = json.loads((folder / "results/manifest.json").read_text())["files"]
    beside = {
        "results/manifest.json",
        "results/catalog.json",
        "results/appendix.pdf",
        "results/paper.pdf",
        "results/verified.txt",
    }
    assert set(files) == {f"results/{name}" for name in contents(folder)} - beside
    stray = folder / "results/claims/of_another_plan.csv"
    shutil.copy(folder / "results/claims/lemma3.csv", stray)
    (folder / "results/manifest.json").unlink()
    assert run(folder, "results/manifest.json", config=EVERY_RULE).returncode == 0
    assert json.loads((folder / "results/manifest.json").read_text())["files"] == files
    stray.unlink()


#: Results of each level; none of a level is made from another one of it.
LEVELS = (
    ("exact/relay.npz",), ("sac/relay_kappa0.npz",), ("traces/stationarity.csv",), ("summaries/stationarity.csv",),
    ("claims/lemma3.csv", "claims/lemma4.csv", "adversary/lemma3.npz", "counterexamples.csv",
     "config.json", "catalog.json"),
    ("claims.csv", "figures/lemma3.svg", "figures/lemma4.png"), ("manifest.json",), ("appendix.pdf", "paper.pdf"),
    ("verified.txt",),
)  # fmt: skip


@pytest.mark.parametrize("names", LEVELS, ids=lambda names: names[0])
def test_what_is_deleted_is_planned_again(tmp_path, finished, names):
    folder = copy(finished, tmp_path / "run")
    for name in names:
        (folder / "results" / name).unlink()
    done = run(folder, "--dry-run")
    assert done.returncode == 0, done.stdout[-3000:]
    made = re.findall(r"^    output: (.*)$", done.stdout, flags=re.MULTILINE)
    assert {f"results/{name}" for name in names} <= {*", ".join(made).split(", ")}


DAMAGES = (
    lambda content: content[: len(content) // 2],
    lambda content: content[:-30] + bytes([content[-30] ^ 1]) + content[-29:],
    lambda content: content[:-1],
    lambda content: b"",
)


def test_damaged_results_are_named_and_made_again(tmp_path, finished, expected):
    folder = copy(finished, tmp_path / "run")
    paths = {name: folder / "results" / name for level in LEVELS for name in level}
    for place, path in enumerate(paths.values()):
        times = (path.stat().st_atime, path.stat().st_mtime)
        path.write_bytes(DAMAGES[place % len(DAMAGES)](path.read_bytes()))
        if place // len(DAMAGES) % 2:
            os.utime(path, times)  # as a failing disk would, without a trace in the file's times
    damaged = contents(folder)
    tried, done = run(folder, "--dry-run"), run(folder)
    assert (tried.returncode, done.returncode) == (0, 0), done.stdout[-3000:]
    for name in paths:
        for output in (tried.stdout, done.stdout):
            assert output.count(f"results/{name} is not as it was written") == 1, name
        assert damaged[name] != expected[name]
    assert same(contents(folder), expected)


def test_a_published_figure_that_git_puts_back_is_drawn_again(tmp_path, finished):
    """A checkout between two runs refuses nothing, and a run leaves what belongs to its results."""
    folder = copy(finished, tmp_path / "run")
    config = tmp_path / "published.yaml"
    config.write_text(TINY.read_text().replace("published: false", "published: true"))
    asked = ("figures/lemma3.svg", "results/claims/lemma3.csv")
    assert run(folder, *asked, config=config).returncode == 0
    figure = folder / "figures/lemma3.svg"
    drawn = figure.read_bytes()
    assert "Nothing to be done" in run(folder, *asked, config=config).stdout
    figure.write_text("<svg/>")
    tried = run(folder, "--dry-run", *asked, config=config)
    assert "figures/lemma3.svg is not as it was written" in tried.stdout
    assert figure.read_text() == "<svg/>", "a dry run changes nothing"
    done = run(folder, *asked, config=config)
    assert done.returncode == 0, done.stdout[-3000:]
    assert figure.read_bytes() == drawn
    assert "Nothing to be done" in run(folder, *asked, config=config).stdout


@pytest.mark.parametrize(
    "asked",
    [["--summary"], ["--list-rules"], ["--unlock"], ["--report", "report.html"], ["results/claims/lemma3.csv"], []],
    ids=["summary", "list-rules", "unlock", "report", "another target", "another configuration"],
)
def test_what_does_not_make_a_damaged_file_again_leaves_it(tmp_path, finished, asked):
    """Questions change nothing, and a run touches no file but those that it makes."""
    folder = copy(finished, tmp_path / "run")
    damaged = folder / "results/figures/lemma4.svg"
    damaged.write_text("<svg/>")
    config = TINY
    if not asked:
        config = tmp_path / "other.yaml"
        config.write_text(TINY.read_text().replace("[lemma3, lemma4, stationarity]", "[lemma3, stationarity]"))
    before = contents(folder)
    done = run(folder, *asked, config=config)
    assert done.returncode == 0, done.stdout[-3000:]
    assert damaged.read_text() == "<svg/>"
    if asked:
        assert contents(folder) == before
    assert "results/figures/lemma4.svg is not as it was written" in run(folder, "--dry-run").stdout


@pytest.mark.parametrize("ledger", [None, b"\xff\xfe garbage \n\n"], ids=["gone", "garbage"])
def test_results_without_a_record_are_named_and_made_again(tmp_path, finished, expected, ledger):
    """As in a copy without hidden files: nothing there can be told from what a job wrote."""
    folder = copy(finished, tmp_path / "run")
    notes = folder / "results/.written"
    notes.unlink()
    if ledger is not None:
        notes.write_bytes(ledger)
    rows = folder / "results/claims/lemma3.csv"
    times = (rows.stat().st_atime, rows.stat().st_mtime)
    rows.write_text(rows.read_text().replace("0.33333333", "0.99999999"))
    os.utime(rows, times)
    assert rows.read_bytes() != expected["claims/lemma3.csv"]
    done = run(folder)
    assert done.returncode == 0, done.stdout[-3000:]
    named_files = re.search("no record of how these were written: (.*): made again by a run", done.stdout)
    assert named_files is not None
    assert {*named_files[1].split(", ")} == {f"results/{name}" for name in expected}
    assert same(contents(folder), expected)
    assert "Nothing to be done" in run(folder).stdout


def test_the_ledger_names_the_results_and_nothing_else(finished, expected):
    lines = (finished / "results/.written").read_text().splitlines()
    assert {line.partition("  ")[2] for line in lines if line} == {f"results/{name}" for name in expected}
