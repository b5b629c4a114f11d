"""The command line on machines and in locales of all kinds: what it says, where it caches, how it fails."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
import weakref
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import sacrepro
from sacrepro import (
    as_coupled,
    build,
    certified_decay,
    cli,
    control,
    decay_profile,
    expected_update,
    gaussian_theta,
    sac,
    td_fixed_point,
    uniform_theta,
)
from sacrepro.archive.files import write_rows
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.study import claims
from sacrepro.study.bench.peers import refuse_unknown
from sacrepro.study.claims import PROCESSES
from sacrepro.study.drawings import drawing
from sacrepro.study.experiments.summary import SummaryRow
from sacrepro.study.jobs import job_digest
from sacrepro.study.measures.stationarity import StationarityRow
from sacrepro.study.plan import Plan
from sacrepro.study.record.comparison import Comparison

ROOT = Path(__file__).parent.parent
FRIENDS = ROOT / "workflow/networks/friends.yaml"


def call(*words, cwd=None, code=None, **environment):
    """A process with the package on its path; its output is bytes."""
    own = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"} | environment
    program = ["-c", code] if code else ["-m", "sacrepro"]
    return subprocess.run([sys.executable, *program, *map(str, words)], cwd=cwd, env=own, capture_output=True)


def test_the_version_is_known_in_one_place(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"sacrepro {sacrepro.__version__}\n"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "sacrepro.__version__"}
    assert f"version: {sacrepro.__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


@pytest.mark.parametrize("words", ["new bad.yaml", "validate bad.yaml", "advise bad.yaml --error 1", "check bad.yaml"])
def test_every_verb_for_people_shows_its_traceback_when_asked(tmp_path, words, monkeypatch, capsys):
    (tmp_path / "bad.yaml").write_text("gamma: [", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["sacrepro", *words.split()])
    monkeypatch.setenv("SACREPRO_TRACEBACK", "")
    with pytest.raises(SystemExit) as stopped:
        cli.command()
    assert stopped.value.code not in (0, None)
    plain = capsys.readouterr().err
    assert plain.startswith("sacrepro: ")
    assert plain.count("\n") == 1
    assert "bad.yaml" in plain
    monkeypatch.setenv("SACREPRO_TRACEBACK", "1")
    with pytest.raises((ValueError, OSError)) as raised:  # and Python shows where
        cli.command()
    assert plain.removeprefix("sacrepro: ").strip()[:40] in str(raised.value)


def test_a_traceback_is_shown_by_the_process():
    whole = call("check", "absent", SACREPRO_TRACEBACK="1").stderr.decode()
    assert whole.startswith("Traceback")
    assert "absent" in whole


@pytest.mark.parametrize("words", ["--help", "--version", "advise --help", f"validate {FRIENDS}", "check results"])
def test_a_closed_pipe_ends_quietly_what_prints(words, tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results/manifest.json").write_text('{"record": "manifest", "files": {}}', encoding="utf-8")
    reads, writes = os.pipe()
    os.close(reads)
    words = [sys.executable, "-m", "sacrepro", *words.split()]
    own = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(words, stdout=writes, stderr=subprocess.PIPE, env=own, cwd=tmp_path)
    os.close(writes)
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, b"")


def test_a_full_disk_and_no_output_at_all_are_no_tracebacks():
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "sacrepro", "--help"], stdout=full, stderr=subprocess.PIPE, cwd=ROOT
        )
    assert (ended.returncode, ended.stderr) == (1, b"sacrepro: [Errno 28] No space left on device\n")
    ended = subprocess.run(
        [sys.executable, "-m", "sacrepro", "--version"],
        preexec_fn=lambda: os.close(1),
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_names_of_claims_are_told_from_the_table_of_verdicts(capsys):
    for verb, told in (("verdicts", 1), ("falsify", 1), ("counterexamples", 1), ("verify", 0)):
        with pytest.raises(SystemExit):
            cli.main([verb, "--help"])
        assert capsys.readouterr().out.count("claims by name; all by default") == told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("evaluate FILE --against optimun", "optimun: expected uniform, optimum or a file .*; did you mean 'optimum'"),
        ("evaluate FILE --policy unifrom", "unifrom: expected uniform or a file .*; did you mean 'uniform'"),
        ("advise FILE --error 1 --of gradent", "--of: expected q or gradient, got 'gradent'; did you mean 'gradient'"),
        ("advise FILE --eror 1", "required: --error; there is no --eror; did you mean '--error'"),
        ("advise FILE --error 1 --agnet ann", "unrecognized .*; there is no --agnet; did you mean '--agent'"),
        ("advise FILE --error 1 --tabel=td", "unrecognized .*; there is no --tabel; did you mean '--table'"),
        ("train FILE --kapa 1", "there is no --kapa; did you mean '--kappa'"),
        ("bench EXACT", "WHAT: expected .*, got 'EXACT'; did you mean 'exact'"),
        ("ADVISE FILE", "no verb 'ADVISE'; did you mean 'advise'"),
        ("evaluate FILE --agent ANN", "no agent 'ANN'; did you mean 'ann'"),
        ("bench exat", "WHAT: expected .*, got 'exat'; did you mean 'exact'"),
        ("advis FILE", "no verb 'advis'; did you mean 'advise'"),
        ("advise FILE --error 1 --agent ann,bob", "no agent 'ann,bob'; repeat --agent: --agent ann --agent bob"),
        ("evaluate FILE --agent ann,zoe", "no agent 'ann,zoe'; did you mean 'ann'"),
        ("evaluate FILE --against a.npz,optimum", "no such file; repeat --against: --against a.npz --against optimum"),
        ("falsify --claims lemma3,lemma4", "unknown claim 'lemma3,lemma4'; several are separated by spaces"),
        ("figure lemma44 x.csv", "unknown figure 'lemma44'; did you mean 'lemma4'"),
    ],
)
def test_a_mistyped_word_is_told_what_it_was_meant_to_be(words, said, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["sacrepro", *words.replace("FILE", str(FRIENDS)).split()])
    with pytest.raises(SystemExit):
        cli.command()
    assert re.search(said, capsys.readouterr().err)


def test_names_in_configurations_and_calls_are_told_what_they_were_meant_to_be():
    """Of each function that refuses an unknown name."""
    mdp, config = random_mdp(nx.path_graph(2), seed=0), {"published": False, "instances": {"a_path": {"exact": "none"}}}
    for asked, said in (
        (lambda: sacrepro.build({"model": "rellay"}), "relay"),
        (lambda: control(mdp, kappa=0, M=1, T=2, h=1, t0=2, seed=0, epsilon=0.1, target="sarssa"), "sarsa"),
        (lambda: claims.claim("lema3"), "lemma3"),
        (lambda: drawing("lema3"), "lemma3"),
        (lambda: job_digest("exat"), "exact"),
        (lambda: Plan(config | {"claims": ["lema3"]}), "lemma3"),
        (lambda: refuse_unknown("method", ["exat"], ["exact"]), "exact"),
    ):
        with pytest.raises(ValueError, match=rf"; did you mean '{said}'\?$"):
            asked()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_locale_that_cannot_spell_the_words_still_sees_them(encoding):
    done = call("validate", FRIENDS, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert "Lemma 3 Q_i decays at rate ρ".encode("utf-8" if encoding == "ascii" else "latin-1", "backslashreplace") in (
        done.stdout
    )


def test_the_workflow_reads_its_files_as_utf8_in_every_locale(tmp_path):
    for name in ("Snakefile", "workflow", "profiles", "paper"):
        (tmp_path / name).symlink_to(ROOT / name)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "-q"]
    command += ["--configfile", str(ROOT / "tests/workflow/tiny.yaml")]
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | locale, capture_output=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.parametrize("text", ["", "Unable to allocate 7 GiB"])
def test_where_memory_runs_out_the_message_says_what_was_asked_for(monkeypatch, capsys, text):
    monkeypatch.delenv("SACREPRO_TRACEBACK", raising=False)
    monkeypatch.setattr(sys, "argv", ["sacrepro", "validate", "my file.yaml"])

    def exhausted(path):
        raise MemoryError(text)

    monkeypatch.setattr("sacrepro.instances.network.files.load", exhausted)
    with pytest.raises(SystemExit) as stopped:
        cli.command()
    assert stopped.value.code == 1
    said = f"sacrepro: out of memory{f' ({text})' if text else ''}; asked for was: validate 'my file.yaml'\n"
    assert capsys.readouterr().err == said


def test_an_interrupted_verb_says_so_in_one_line(monkeypatch, capsys):
    monkeypatch.delenv("SACREPRO_TRACEBACK", raising=False)
    monkeypatch.setattr(sys, "argv", ["sacrepro", "validate", "file.yaml"])

    def interrupted(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("sacrepro.instances.network.files.load", interrupted)
    with pytest.raises(SystemExit) as stopped:
        cli.command()
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "sacrepro: interrupted\n"
    monkeypatch.setenv("SACREPRO_TRACEBACK", "1")
    with pytest.raises(KeyboardInterrupt):
        cli.command()


def test_what_filled_the_memory_is_gone_before_anything_is_said(monkeypatch):
    """A message needs memory as well: what the failed call held would make a second MemoryError of it."""
    monkeypatch.delenv("SACREPRO_TRACEBACK", raising=False)
    monkeypatch.setattr(sys, "argv", ["sacrepro", "validate", "file.yaml"])
    held = []

    def exhausted(path):
        large = {"a large model"}
        held.append(weakref.ref(large))
        try:
            raise ValueError("on the way")
        except ValueError as error:
            raise MemoryError from error

    monkeypatch.setattr("sacrepro.instances.network.files.load", exhausted)
    monkeypatch.setattr("sacrepro.study.__main__.told", lambda error: held.append(held[0]()))
    with pytest.raises(SystemExit):
        cli.command()
    assert held[1] is None


#: Compiles one kernel of each room, and says where numba keeps it.
COMPILE = """
import numba, os, sacrepro, sys
sys.path.insert(0, sys.argv[1])
from sacrepro.exact.product.pointwise import forward
from sacrepro.model.compiled import compiled
import numpy as np
forward(np.ones((1, 2, 1)), np.ones((2, 2, 1)), np.ones((1, 2, 1)))
print(os.environ["NUMBA_CACHE_DIR"], len(list(os.scandir(os.environ["NUMBA_CACHE_DIR"]))))
"""


def test_a_package_that_cannot_be_written_compiles_without_a_home(tmp_path):
    """On a file system that is read-only even for root; numba alone ends with "no locator available"."""
    package = tmp_path / "site"
    package.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=30m", "tmpfs", str(package)]
    if os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0:
        unlock = ["umount", "-l", str(package)]
        lock = ["mount", "-o", "remount,ro", str(package)]
    else:
        lock, unlock = ["chmod", "-R", "a-w", str(package)], ["chmod", "-R", "u+w", str(package)]
    try:
        shutil.copytree(ROOT / "sacrepro", package / "sacrepro", ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run(lock, check=True)
        for home in (package / "home", tmp_path):  # numba takes an empty XDG_CACHE_HOME as it is, and not the home
            homeless = {"HOME": str(home), "XDG_CACHE_HOME": "", "NUMBA_CACHE_DIR": "", "PYTHONPATH": str(package)}
            homeless["NUMBA_OPT"] = "0"
            done = call(package, cwd=tmp_path, code=COMPILE, **homeless)
            assert done.returncode == 0, done.stderr
            folder, entries = done.stdout.decode().split()
            assert int(entries) > 0
            assert not Path(folder).exists(), "the temporary cache outlives the process"
    finally:
        subprocess.run(unlock, check=True)


def test_a_figure_of_one_claim_is_not_drawn_from_the_rows_of_another(tmp_path):
    row = Comparison("relay", "uniform", "", "", 1, 0, 0.5, 1.0, 0.0)
    for name in ("lemma3", "mine"):
        write_rows(tmp_path / f"{name}.csv", Comparison, [row])
    curve = SummaryRow("relay", "0", 1.0, "J", 0.5, 0.4, 0.6, 3)
    for name in ("stationarity", "own"):
        write_rows(tmp_path / f"{name}.csv", SummaryRow, [curve])
    for figure, rows, message in (
        ("lemma4", "lemma3", "lemma3.csv holds the comparisons of lemma3; the figure lemma4 shows those of lemma4"),
        ("lemma4", "mine", "mine.csv: no row has a variant of lemma4, which are 'worst case', 'own hypothesis'"),
        (
            "exact_critic",
            "stationarity",
            "stationarity.csv holds the summary of stationarity; the figure exact_critic shows",
        ),
        ("critic_error", "own", "own.csv: not rows of the figure critic_error"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            cli.main(["figure", figure, str(tmp_path / f"{rows}.csv"), "--output", str(tmp_path / "x.svg")])
        assert not (tmp_path / "x.svg").exists()
    cli.main(["figure", "lemma3", str(tmp_path / "mine.csv"), "--output", str(tmp_path / "x.svg")])


def test_rows_of_one_claim_are_not_judged_under_the_name_of_another(tmp_path):
    row = Comparison("relay", "uniform", "", "", 1, 0, 0.5, 1.0, 0.0)
    write_rows(tmp_path / "lemma4.csv", Comparison, [row])
    with pytest.raises(ValueError, match=r"lemma4\.csv: no row has a variant of lemma4, which are 'worst case'"):
        cli.main(["verdicts", str(tmp_path / "lemma4.csv")])
    write_rows(tmp_path / "lemma4.csv", Comparison, [row._replace(hypothesis="worst case")])
    cli.main(["verdicts", str(tmp_path / "lemma4.csv")])


def test_damaged_comparisons_are_not_judged(tmp_path):
    path = tmp_path / "lemma3.csv"
    row = Comparison("relay", "uniform", "", "", 0, 0, 1.0, 1.0, 1e-12)
    write_rows(path, Comparison, [row, row._replace(error=-1.0)])
    with pytest.raises(ValueError, match=r"lemma3.csv, line 3, column error: -1.0 is below 0"):
        cli.main(["verdicts", str(path)])
    write_rows(path, Comparison, [row, row])
    path.write_text(path.read_text(encoding="utf-8").rstrip("\n"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"lemma3.csv, line 3: the line has no end"):
        cli.main(["verdicts", str(path)])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("check o", "o/manifest.json: cannot be read: No such file or directory"),
        ("release o --output z.zip", "o/manifest.json: cannot be read: No such file or directory"),
        ("readme nope.csv x", "nope.csv: cannot be read: No such file or directory"),
        ("verdicts o", "unknown claim 'o'"),
        ("claim lemma3 o --output lemma3.csv", "o: cannot be read: Is a directory"),
        (
            "claim lemma3 junk.npz --output lemma3.csv",
            "junk.npz is not a readable npz file: it is no zip file of arrays",
        ),
        ("claim lemma3 objects.npz --output l.csv", "objects.npz is not a readable npz file: it holds Python objects"),
        ("catalog --output c.json --formal nope.csv nope.md", "--formal: proofs are told in --markdown alone"),
        ("catalog --output c.json --markdown c.md --formal nope.csv nope.md", "nope.csv: cannot be read: No such file"),
        ("verdicts lemma3.csv --formal nope.csv nope.md", "--formal: proofs are told in --markdown alone"),
        ("catalog --output c.txt", "c.txt: expected a name ending in .json"),
        ("config {} --output c.txt", "c.txt: expected a name ending in .json"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "o").mkdir()
    Path("junk.npz").write_text("junk", encoding="utf-8")
    np.savez("objects.npz", spec=np.array([{}], dtype=object))
    monkeypatch.setattr(sys, "argv", ["sacrepro", *words.split()])
    with pytest.raises(SystemExit) as stopped:
        cli.command()
    assert stopped.value.code
    told = capsys.readouterr().err
    assert said in told
    assert "Errno" not in told
    assert sorted(os.listdir()) == ["junk.npz", "o", "objects.npz"]


def test_what_is_measured_along_runs_needs_the_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--policies", "1", "--seed", "0", "--scale", "1"]
    cli.main(["exact", "--instance", "relay", "--spec", SPEC, *options, "--output", "relay.npz"])
    write_rows("stationarity.csv", StationarityRow, [StationarityRow("relay", 0, 0, 0, 0.5, 0.25, 0.1, 0.7, 1e-12)])
    rows, runs = ["--stationarity", "stationarity.csv"], ["--runs", "relay.npz"]
    for claim, given, message in (
        ("theorem5", rows, "rows along a run on 'relay', but the file of that run, written by `sac`, is not given"),
        ("theorem5", [*rows, *runs], "relay.npz has no array 'kappa'; expected a file written by `sac`"),
        ("theorem5", runs, "--runs: nothing is measured along them without --stationarity"),
        ("lemma3", runs, "--runs is for theorem5, not for lemma3"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            cli.main(["claim", claim, "relay.npz", *given, "--output", "rows.csv"])
    assert not Path("rows.csv").exists()


def test_environments_certify_a_network_file(tmp_path):
    output = tmp_path / "rows.csv"
    certified = json.dumps({"friends": {"model": "file", "path": str(FRIENDS)}})
    cli.main(["environments", "--certified", certified, "--output", str(output)])
    assert "friends" in output.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="--certified: friends: expected a specification with a model, got 3"):
        cli.main(["environments", "--certified", '{"friends": 3}', "--output", str(output)])


def test_a_network_file_among_the_results_can_be_edited(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    cli.main(["new", "results/mine.yaml"])
    path = tmp_path / "results/mine.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
    cli.main(["validate", "results/mine.yaml"])
    assert "agents" in capsys.readouterr().out


SPEC = '{"model": "relay", "n": 3, "gamma": 0.5}'


def test_one_claim_tells_its_verdict_and_fails_if_it_is_violated(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = ["--policies", "2", "--seed", "0", "--scale", "1"]
    cli.main(["exact", "--instance", "relay", "--spec", SPEC, *options, "--output", "relay.npz"])
    command = ["claim", "lemma3", "relay.npz", "--output", "lemma3.csv"]
    cli.main(command)
    assert "**tight**" in capsys.readouterr().out
    cli.main(["verdicts", "lemma3.csv"])
    assert "**tight**" in capsys.readouterr().out
    assert sorted(os.listdir()) == ["lemma3.csv", "relay.npz"]
    monkeypatch.setattr("sacrepro.study.claims.lemma3.definition2", lambda c, rho, kappa: 0.9 * c * rho ** (kappa + 1))
    written = []
    for words in (command, ["verdicts", "lemma3.csv", "--output", "claims.csv"]):
        with pytest.raises(SystemExit) as stopped:
            cli.main(words)
        assert stopped.value.code == 1
        said = capsys.readouterr().out
        assert "**violated**" in said
        assert "VIOLATED lemma3" in said
        written.append(Path(words[-1]).read_bytes())
        cli.main([*words, "--keep-going"])
        assert Path(words[-1]).read_bytes() == written[-1]


def test_claims_beside_one_another_have_the_rows_that_they_have_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--policies", "2", "--seed", "0", "--scale", "1"]
    cli.main(["exact", "--instance", "relay", "--spec", SPEC, *options, "--output", "relay.npz"])
    names = PROCESSES["tables"]
    cli.main(["claim", names[0], "relay.npz", "--beside", *names[1:], "--output", *(f"{name}.csv" for name in names)])
    for name in names:
        cli.main(["claim", name, "relay.npz", "--output", "alone.csv"])
        assert Path("alone.csv").read_bytes() == Path(f"{name}.csv").read_bytes()
    with pytest.raises(SystemExit):
        cli.main(["claim", "lemma3", "relay.npz", "--beside", "lemma33", "--output", "a.csv", "b.csv"])
    with pytest.raises(ValueError, match="--output: 2 claims need as many files, got 1"):
        cli.main(["claim", "lemma3", "relay.npz", "--beside", "lemma4", "--output", "a.csv"])


def test_the_workflow_judges_once():
    """Its jobs write every table whatever the verdict, and `verify` alone fails the run."""
    rules = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
    for verb in ("claim", "verdicts"):
        (shell,) = re.findall(rf"resources.mem_mb}} {verb} .*?(?=\n\n|\Z)", rules, flags=re.DOTALL)
        assert "--keep-going" in shell


OWN = """\
graph: {edges_file: friends.csv}
gamma: 0.5
states: [x, y]
actions: [u, v]
kernel: {probabilities: {y: 0.5}}
reward: (s == y) * 1.0
pi0: {y: 0.2}
"""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("train own.yaml --kappa 0 --policy own.yaml", "--policy own.yaml would replace file own.yaml"),
        ("train own.yaml --kappa 0 --policy link.yaml", "--policy link.yaml would replace file own.yaml"),
        ("train own.yaml --kappa 0 --output ./friends.csv", "--output ./friends.csv would replace what file own.yaml"),
        ("advise own.yaml --error 1 --output friends.csv", "--output friends.csv would replace what file own.yaml"),
        ("evaluate own.yaml --policy p.json --output p.json", "--output p.json would replace --policy p.json"),
        ("evaluate own.yaml --against p.json --output x/../p.json", "p.json would replace --against p.json"),
        (
            "train own.yaml --kappa 0 --output z.json --policy z.json",
            "z.json and --policy z.json are one file",
        ),
        ("train own.yaml --kappa 0 --output z.csv ./z.csv", "--output z.csv and --output ./z.csv are one file"),
        ("catalog --output z.json --markdown z.json", "--output z.json and --markdown z.json are one file"),
        ("verdicts lemma3.csv --output lemma3.csv", "--output lemma3.csv would replace comparisons lemma3.csv"),
    ],
)
def test_no_output_replaces_an_input_or_another_output(tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").mkdir()
    for name, text in {"own.yaml": OWN, "friends.csv": "ann,bob\n", "p.json": "{}", "lemma3.csv": "a\n"}.items():
        Path(name).write_text(text, encoding="utf-8")
    Path("link.yaml").symlink_to("own.yaml")
    before = {path: path.read_text(encoding="utf-8") for path in Path().glob("*.*")}
    with pytest.raises(ValueError, match=re.escape(said)):
        cli.main(words.split())
    assert {path: path.read_text(encoding="utf-8") for path in Path().glob("*.*")} == before


def test_what_is_warm_leaves_first_calls_nothing_to_compile(capsys):
    """Whatever κ, n, sizes and seeds are: no kernel takes a further form."""
    cli.main(["warm", "library"])
    assert "sac_seeds: compiled" in capsys.readouterr().out
    before = compiled_forms()
    mdp = random_mdp(nx.path_graph(4), seed=0, state_sizes=(2, 3, 2, 2), action_sizes=(2, 1, 3, 2), gamma=0.5)
    theta = gaussian_theta(mdp, np.random.default_rng(0))
    decay_profile(mdp, theta)
    certified_decay(mdp, theta, sweep_limit=1)
    expected_update(mdp, theta, kappa=1, T=3, h=1.0, t0=2.0)
    td_fixed_point(mdp, theta, 0, 1)
    for kappa in (0, 2):
        for model in (mdp, as_coupled(mdp)):
            sac(model, theta, kappa=kappa, M=2, T=20, h=1.0, t0=2.0, eta=0.1, seed=3)
    large = build({"model": "relay", "n": 10, "gamma": 0.5})
    sac(large, uniform_theta(large), kappa=9, M=1, T=70_000, h=1.0, t0=2.0, eta=0.1, seed=3)
    assert compiled_forms() == before
    assert before["sacrepro.exact.law.moments._steps"]
    assert before["sacrepro.learn.algorithm1.outer_iterations"]


#: The first use of 32-bit numbers of cells: long episodes on tables of more than 2^15.5 entries.
LONG = """
from sacrepro import build, sac, uniform_theta
mdp = build({"model": "relay", "n": 9, "gamma": 0.5})
sac(mdp, uniform_theta(mdp), kappa=8, M=1, T=70_000, h=1.0, t0=2.0, eta=0.1, seed=3)
"""


@pytest.mark.slow
def test_after_warm_library_no_first_call_compiles(tmp_path):
    """Seen: 12.6 s in a first `sac` with T = 70,000, and .02 s in the second."""

    def kept():
        return {(path.name, path.stat().st_mtime_ns) for path in compiled.rglob("*.nb[ic]")}

    def done(*words, **code):
        found = call(*words, cwd=tmp_path, NUMBA_CACHE_DIR=str(compiled), **code)
        assert found.returncode == 0, found.stderr
        return found

    compiled, learned = tmp_path / "compiled", tmp_path / "learned.yaml"
    done("warm", "library")
    before = kept()
    assert before
    done(code=LONG)
    assert kept() == before
    more = "[cid, eve], [eve, fay], [fay, gus], [gus, hal], [hal, ida]]"
    nine = FRIENDS.read_text(encoding="utf-8").replace("[cid, eve]]", more)
    (tmp_path / "nine.yaml").write_text(nine, encoding="utf-8")
    for T in (1000, 1 << 17):
        told = done("advise", "nine.yaml", "--error", 0.3, "--T", T, "--seconds", 5).stderr
        assert b"Compiling" not in told
        done("train", "nine.yaml", "--kappa", 0, 4, "--seeds", 2, "--M", 1, "--T", T, "--policy", learned)
    done("evaluate", "nine.yaml", "--policy", learned)
    assert kept() == before


@pytest.mark.slow
def test_a_first_advise_answers_as_the_second_does(tmp_path):
    """Seen: no pilot and no times for κ ≥ 1, because compiling had used up the time."""
    environment = {"cwd": tmp_path, "NUMBA_CACHE_DIR": str(tmp_path)}
    first, second = (call("advise", FRIENDS, "--error", 0.3, **environment) for _ in range(2))
    for found in (first, second):
        assert "RETURN: what short runs of SAC earn" in (text := found.stdout.decode())
        assert "cut short" not in text
    assert b"s, once: it is kept, no later call compiles this again" in first.stderr
    assert b"Compiling" not in second.stderr


def compiled_forms():
    """How many signatures each kernel of the package has been compiled for."""
    modules = [module for name, module in sys.modules.items() if name.startswith("sacrepro.")]
    kernels = {id(own): own for module in modules for own in vars(module).values() if hasattr(own, "signatures")}
    return {f"{own.__module__}.{own.__name__}": len(own.signatures) for own in kernels.values()}
