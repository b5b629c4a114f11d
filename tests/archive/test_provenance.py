"""Code digests follow what a module computes and imports, and what a job runs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sacrepro
from sacrepro.archive import provenance
from sacrepro.archive.provenance import closure, code_digest, meaning, parts
from sacrepro.study.claims import CLAIMS, ENTRIES, WITH_LEARNER, all_claims
from sacrepro.study.jobs import JOBS, OF_EXPERIMENTS, job_closure, job_digest

PACKAGE = Path(sacrepro.__file__).parent
RULES = sorted((PACKAGE.parent / "workflow/rules").glob("*.smk"))


def loaded_by(module):
    """The modules that one loads, or a package with all its modules, directly or not."""
    return closure([(part, None) for part in parts(module)]).keys()


def test_closure_follows_imports():
    found = loaded_by("sacrepro.study.claims.lemma4")
    assert {
        "sacrepro.study.claims.lemma4",
        "sacrepro.bounds.decay",
        "sacrepro.exact.dense",
        "sacrepro.model.mdp",
    } <= found
    assert "sacrepro.study.drawings.panels" not in found
    assert "sacrepro.bounds.gradient" not in loaded_by("sacrepro.study.claims.lemma3")


def test_a_package_counts_with_all_its_modules():
    assert "sacrepro.study.drawings.panels" in loaded_by("sacrepro.study.drawings")


def test_comments_and_docstrings_do_not_count_but_numbers_do(tmp_path):
    texts = {
        "plain.py": "def f(x):\n    return x + 1\n",
        "commented.py": '"""Doc."""\n# why\ndef f(x):\n    """Returns."""\n\n    return (x + 1)\n',
        "changed.py": "def f(x):\n    return x + 2\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    plain, commented, changed = (meaning(tmp_path / name) for name in texts)
    assert plain == commented
    assert plain != changed


def test_what_is_kept_of_a_file_is_that_of_its_text(tmp_path, monkeypatch):
    """Read once; an edit, damage and another reader are seen, and a folder that takes nothing is no obstacle."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    parsed, parse = [], provenance._parsed
    monkeypatch.setattr(provenance, "_parsed", lambda text: parsed.append(text) or parse(text))
    file, text = tmp_path / "own.py", "from sacrepro.model import graph\nN = 1\n\n\ndef f(x):\n    return x + N\n"

    def read(text, *, again):
        file.write_text(text)
        del parsed[:]
        provenance._read.cache_clear()
        found = provenance._read(file)
        assert found == parse(text.encode())
        assert bool(parsed) == again
        return found

    first = read(text, again=True)
    assert read(text, again=False) == first
    assert read(text.replace("+", "-"), again=True) != first
    (kept,) = (tmp_path / "__pycache__").iterdir()
    read(text, again=True)
    whole = kept.read_text()
    for damaged in ("", whole[: len(whole) // 2], whole.replace('"N"', '"M"'), "\xff\n" + whole):
        kept.write_text(damaged)
        assert read(text, again=True) == first
    assert kept.read_text() == whole
    monkeypatch.setattr(provenance, "_reader", lambda: b"another")
    read(text, again=True)
    shutil.rmtree(kept.parent)
    kept.parent.write_text("no folder")
    assert read(text, again=True) == first


def test_digests_differ_between_modules_and_are_stable():
    assert code_digest("sacrepro.bounds.decay") == code_digest("sacrepro.bounds.decay")
    assert code_digest("sacrepro.bounds.decay") != code_digest("sacrepro.bounds.gradient")


@pytest.mark.parametrize("name", ["sacrepro.lemma5", "numpy", "sacrepro.exact.absent"])
def test_unknown_modules_are_refused(name):
    with pytest.raises(ValueError, match="is not a module of sacrepro"):
        provenance.source(name)


def test_a_job_counts_what_it_imports_inside_functions_and_by_name():
    """`falsify` plants mistakes in claims that it loads by name; a check loads its own claim and no other."""
    assert {f"sacrepro.study.claims.{name}" for name in CLAIMS} <= job_closure("falsify").keys()
    one = job_closure("claim", claims=["lemma3"]).keys()
    assert "sacrepro.study.claims.lemma3" in one
    assert not one & {"sacrepro.study.claims.lemma4", "sacrepro.study.experiments.runs", "sacrepro.learn.algorithm1"}
    figures = job_closure("figure").keys()
    assert {"sacrepro.study.drawings.decay", "sacrepro.study.drawings.panels", "sacrepro.archive.files"} <= figures
    assert {"sacrepro", "sacrepro.study.__main__", "sacrepro.study.arguments", "sacrepro.exact"} <= job_closure(
        "exact"
    ).keys()
    assert "sacrepro.cli" not in job_closure("exact")
    assert not any(name.startswith(("sacrepro.learn", "sacrepro.study.drawings")) for name in job_closure("exact"))
    with pytest.raises(ValueError, match="'exakt' is not a job"):
        job_digest("exakt")


#: A change of one line in the package, the jobs whose digest it must change, and jobs whose digest it must not.
CHANGES = {
    "which records are measured": (
        "study/experiments/runs.py", 'len(run["m"]) - 1, records)', 'len(run["m"]) - 1, records + 1)',
        {"diagnostics", "summary"}, {"estimators", "exact"},
    ),
    "what sac stores": (
        "study/experiments/sac.py", '"h": np.array(h)', '"h": np.array(2.0 * h)',
        {"sac"}, {"exact", "methods", "warm learn"},
    ),
    "what fails a run": (
        "study/judge.py", 'row.caught == "no"', 'row.caught == "never"',
        {"verify"}, {"exact", "claim", "figure", "verdicts"},
    ),
    "a constant beside a job": (
        "study/experiments/wireless.py", '"published": "published variant"', '"published": "variant"',
        {"wireless run"}, {"wireless references", "exact"},
    ),
    "a default of an option": (
        "study/experiments/wireless.py", "lambda_: Share = 0.0", "lambda_: Share = 1.0", {"wireless run"}, {"exact"},
    ),
    "what an option admits": (
        "study/arguments.py", "Share = Annotated[float, number(least=0.0", "Share = Annotated[float, number(least=0.1",
        {"exact", "sac"}, set(),
    ),
    "what an option means": ("study/arguments.py", "the learner", "a learner", set(), {"wireless run"}),
    "the table of jobs": (
        "study/jobs.py", '    "claim": Job', '    "clam": Job("study.check:claim"), "claim": Job',
        set(), {"exact", "claim"},
    ),
    "what is printed": (
        "study/__main__.py", "print(line, flush=True)", "print(line)", {"exact", "claim", "figure"}, set(),
    ),
    "kernels of a room": (
        "study/experiments/sac.py", "for kappa in range(3)", "for kappa in range(2)", {"warm learn"}, {"warm exact"},
    ),
    "a claim that is planted": (
        "study/claims/lemma4.py", "order=100", "order=101", {"falsify", "verdicts"}, {"exact", "sac"},
    ),
    "a style sheet": ("study/drawings/house.mplstyle", "axes", "# axes", {"figure"}, {"exact", "claim"}),
}  # fmt: skip


def copy_of_the_package(folder):
    """With bytecode, and what is kept beside it, of files that stay as they are; kernels are not called."""
    shutil.copytree(PACKAGE, folder / "sacrepro", ignore=shutil.ignore_patterns("*.nbi", "*.nbc"))


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_line_changes_the_digests_of_the_jobs_that_run_it(tmp_path, change):
    name, before, after, changed, kept = CHANGES[change]
    copy_of_the_package(tmp_path)
    path = tmp_path / "sacrepro" / name
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    asked = sorted(changed | kept)
    program = f"from sacrepro.study.jobs import job_digest\nprint(*(job_digest(job) for job in {asked}))"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env={}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    now = dict(zip(asked, done.stdout.split(), strict=True))
    assert {job for job in asked if now[job] != job_digest(job)} == changed


def test_a_new_claim_is_new_to_those_jobs_alone_that_load_all_claims(tmp_path):
    copy_of_the_package(tmp_path)
    shutil.copy(tmp_path / "sacrepro/study/claims/lemma1.py", tmp_path / "sacrepro/study/claims/lemma2.py")
    asked = "job_digest('falsify'), job_digest('verdicts'), job_digest('claim', claims=['lemma3']), job_digest('sac')"
    program = f"from sacrepro.study.jobs import job_digest\nprint(*({asked}))"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env={}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    falsify, verdicts, one, sac = done.stdout.split()
    assert falsify != job_digest("falsify")
    assert verdicts != job_digest("verdicts")
    assert (one, sac) == (job_digest("claim", claims=["lemma3"]), job_digest("sac"))


def test_claims_say_what_their_checks_need():
    """The learner's kernels are compiled for those alone whose checks run the learner."""
    run_it = {
        name
        for name in CLAIMS
        if any(module.startswith("sacrepro.learn") for module in loaded_by(f"sacrepro.study.claims.{name}"))
    }
    assert run_it == set(WITH_LEARNER)
    assert [(own.name, own.order, own.needs) for own in all_claims()] == [own[:3] for own in ENTRIES]
    orders = [own.order for own in all_claims()]
    assert orders == sorted(set(orders))


def test_a_list_of_claims_does_not_wait_for_the_engine():
    loaded = provenance.closure([("sacrepro.study.claims", frozenset({"CLAIMS", "ATTACKED"}))])
    assert "sacrepro.study.claims" in loaded
    assert not any(module.startswith(("sacrepro.exact.", "sacrepro.study.claims.")) for module in loaded)


def rules_of(path):
    """The rules of a file; the one of all experiments with files of their own once for each job."""
    for rule in re.split(r"^ *rule\b", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        for job in OF_EXPERIMENTS if "code(job)" in rule else [""]:
            yield re.sub(r"(?<=\()(\s*)job\b", rf'\1"{job}"', rule)


def test_every_rule_declares_the_digest_the_settings_and_the_memory_of_the_job_that_it_runs():
    """`code=code("job")`, and `options=options("job")` or `process("job", …)` if the job has settings."""
    seen = 0
    for path in RULES:
        for rule in rules_of(path):
            (first,) = re.findall(
                r"sacrepro\.study --mem-mb {resources\.mem_mb} ((?:warm|wireless) \S+|[a-z0-9-]+|{params\.jobs})", rule
            )
            several = re.findall(r'jobs=process\(\s*"([a-z0-9-]+)"', rule)
            assert len(several) == (first == "{params.jobs}"), rule
            job, *later = *(several or [first.replace("wildcards.", "")]), *re.findall(r"--then ([a-z0-9-]+)", rule)
            own = ", ".join(f'"{ran}"' for ran in (job, *later))
            whole = job == "manifest" and "code=package_digest()" in rule
            assert whole or re.search(rf"code=code\({re.escape(own)}[,)]", rule), rule
            settings = JOBS[job].settings if "{" not in job else {}
            given = re.search(rf"options=options\({re.escape(own)}\)", rule)
            assert bool(settings and not several) == bool(given) == ("{params.options}" in rule), rule
            assert not any(JOBS[ran].settings for ran in later), rule
            assert re.search(r"resources:\n +mem_mb=\d+,", rule), rule
            seen += 1
    assert seen > 25


def test_modules_import_by_name_only_where_a_digest_sees_it():
    """An f-string that begins with the package's name; of fronts and of the lists of options the names are known."""
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for call in re.findall(r"[^`]importlib\.import_module\((.*?)\)", text):
            expected = (
                r'f"sacrepro\.(study\.(claims|experiments)|exact)\.\{',
                r'f"sacrepro\.\{(_ROOMS|room|module)',
            )
            assert any(re.match(start, call) for start in expected), f"{path}: {call}"
        assert "__import__" not in text
