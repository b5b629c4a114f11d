"""The table of jobs: every entry is a function with a signature that a command line can have."""

import ast
import importlib
import inspect
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Annotated, get_origin

import pytest
import yaml

from sacrepro.cli import VERBS
from sacrepro.model import memory
from sacrepro.study import arguments
from sacrepro.study.__main__ import named, parser_of, run
from sacrepro.study.arguments import WORDS
from sacrepro.study.jobs import EACH, JOBS, about, options, process
from sacrepro.study.plan import Plan

ROOT = Path(__file__).parents[2]

#: A value of every wildcard of a rule.
WILDCARDS = {"instance": "friends", "network": "friends", "run": "printed"}


@pytest.mark.parametrize("name", VERBS)
def test_the_signature_of_a_job_is_its_command_line(name):
    """As it is read, without an import, it is as Python knows it; and it has a parser."""
    module, _, function = VERBS[name].function.partition(":")
    signature = inspect.signature(getattr(importlib.import_module(f"sacrepro.{module}"), function))
    _, read = about(name, VERBS)
    parameters = [*read.args, *read.kwonlyargs]
    assert {own.arg: ast.unparse(own.annotation) for own in parameters} == {
        own.name: own.annotation.replace('"', "'") for own in signature.parameters.values()
    }
    given = {action.dest: action.default for action in parser_of(name, VERBS)._actions}
    for own in signature.parameters.values():
        expected = None if own.default is inspect.Parameter.empty else own.default
        # What may be repeated is collected in a list.
        assert given[own.name] == (list(expected) if isinstance(given[own.name], list) else expected)


def test_every_word_and_type_is_one_of_some_job():
    words, types = set(), set()
    for name in VERBS:
        _, read = about(name, VERBS)
        for own in (*read.args, *read.kwonlyargs):
            word = own.arg.rstrip("_")
            words.add(f"{name} {word}" if f"{name} {word}" in WORDS else word)
            types |= {node.id for node in ast.walk(own.annotation) if isinstance(node, ast.Name)}
    assert WORDS.keys() == words
    assert {name for name, own in vars(arguments).items() if get_origin(own) is Annotated} <= types


@pytest.mark.parametrize("name", [name for name in JOBS if JOBS[name].settings])
def test_the_settings_of_a_job_are_options_that_it_has(name, monkeypatch):
    """And all that it asks for, but for what its rule gives: names, κ and files."""
    monkeypatch.chdir(ROOT)
    settings = Plan(yaml.safe_load((ROOT / "tests/workflow/every_rule.yaml").read_text(encoding="utf-8"))).settings
    words = shlex.split(options(name, settings, WILDCARDS))
    asked = {word[2:] for word in words if word.startswith("--")}
    actions = [action for action in parser_of(name, JOBS)._actions if action.option_strings]
    assert asked <= {action.option_strings[-1][2:] for action in actions}
    required = {action.option_strings[-1][2:] for action in actions if action.required}
    assert required - asked <= {"instance", "output", "models", "markdown", "kappa"}
    assert asked >= JOBS[name].settings.keys() - {EACH}


def test_lists_mappings_and_odd_words_reach_the_shell_whole():
    settings = {
        "table1": {"a": "it's"},
        "exact_critic": {"a": {"kappas": [0, 1], "M": 2, "eta": 0.5, "record_every": 1}},
    }
    assert shlex.split(options("table1", settings, {})) == ["--settings", '{"a": "it\'s"}']
    settings["instances"] = {"a": {"spec": {"n": 3, "model": "relay"}}}
    words = shlex.split(options("exact-critic", settings, {"instance": "a"}))
    assert words[:2] == ["--spec", '{"model": "relay", "n": 3}']
    assert words[2:] == ["--kappas", "0", "1", "--M", "2", "--eta", "0.5", "--record-every", "1"]


def test_one_process_runs_a_job_for_each_of_its_wildcards():
    settings = {"instances": {"a": {"spec": {"n": 2}}, "b": {"spec": {"n": 3}}}, "sac": {"a": {"T": 5}, "b": {"T": 6}}}
    line = process("sac", "--instance {instance} --kappa {kappa}", settings=settings, instance="ab", kappa=[0, 1])
    assert [shlex.split(part) for part in line.split(" --then ")] == [
        ["sac", "--instance", "a", "--kappa", "0", "--spec", '{"n": 2}', "--T", "5"],
        ["sac", "--instance", "b", "--kappa", "1", "--spec", '{"n": 3}', "--T", "6"],
    ]
    assert process("simulated", "{run}", settings={"simulated": {}}, run=[]) == ""
    with pytest.raises(ValueError, match="shorter"):
        process("sac", "{instance}", settings=settings, instance="ab", kappa=[0])


def test_jobs_of_one_process_run_one_after_another_and_none_before_all_are_read(tmp_path, capsys):
    exact = ["exact", "--instance", "a", "--spec", '{"model": "relay", "n": 2, "gamma": 0.5}']
    exact += ["--policies", "1", "--seed", "0", "--scale", "1", "--output", str(tmp_path / "a.npz")]
    with pytest.raises(SystemExit):
        run([*exact, "--then", "claim", "lemma33", "x", "--output", str(tmp_path / "b.csv")])
    assert "did you mean 'lemma3'?" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    run([*exact, "--then", "claim", "lemma3", str(tmp_path / "a.npz"), "--output", str(tmp_path / "b.csv")])
    assert (tmp_path / "b.csv").read_text().startswith("instance,policy,")
    with pytest.raises(SystemExit):
        run([*exact, "--then"])
    assert "a verb is missing" in capsys.readouterr().err


#: Prints kernels in forms that `scale` and `falsify` compile beyond those of `warm`; given a folder.
COMPILED = """
import sys
from sacrepro.study.__main__ import run
from sacrepro.study.audit import falsify
def forms():
    modules = [own for name, own in [*sys.modules.items()] if name.startswith("sacrepro.")]
    kernels = {own for module in modules for own in vars(module).values() if hasattr(own, "signatures")}
    return {(own.__module__, own.__name__, str(form)) for own in kernels for form in own.signatures}
for kernels in ("exact", "learn"):
    run(["warm", kernels, "--output", f"{sys.argv[1]}/{kernels}.txt"])
warm = forms()
spec = ["--spec", '{"model": "relay", "n": 30, "gamma": 0.8, "noise": 0.3}', "--tol", "0.1"]
run(["scale", "--instance", "a", *spec, "--agents", "1", "--kappa-max", "2", "--output", f"{sys.argv[1]}/scale.csv"])
run(["falsify", "--claims", "definition2", "critic", "--output", f"{sys.argv[1]}/falsify.csv"])
run(["counterexamples", "--claims", "theorem5_sharp", "--output", f"{sys.argv[1]}/counterexamples.csv"])
print(sorted(forms() - warm), len(warm) > 10)
"""


def test_the_audit_and_scale_compile_nothing_that_their_rules_do_not_wait_for(tmp_path):
    command = [sys.executable, "-c", COMPILED, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[] True"


@pytest.mark.parametrize(
    "words", ["advise a.yaml --error 1 --output", "train a.yaml --kappa 0 --policy", "claim lemma3"]
)
def test_what_takes_several_values_may_need_one(words, capsys):
    """Files to write and what has no default; `--runs` of a claim takes none, too."""
    job, rest = named(words.split(), VERBS)
    with pytest.raises(SystemExit):
        parser_of(job, VERBS).parse_args(rest)
    assert "expected at least one argument" in (said := capsys.readouterr().err) or "required: exact" in said
    assert parser_of("claim", VERBS).parse_args(["lemma3", "x", "--runs", "--output", "y"]).runs == []


def test_jobs_of_two_words_are_told_apart_and_refused_by_name(capsys):
    assert named(["wireless", "run", "--M", "1"], JOBS) == ("wireless run", ["--M", "1"])
    assert named(["exact", "a"], JOBS) == ("exact", ["a"])
    wrong = {("warm", "cold"): "got 'cold'", ("exakt",): "did you mean 'exact'?", (): "a verb is missing"}
    for words, message in wrong.items():
        with pytest.raises(SystemExit) as stopped:
            named(words, JOBS)
        assert stopped.value.code == 2
        assert message in capsys.readouterr().err


def test_a_job_counts_on_the_memory_that_its_rule_declares(tmp_path, monkeypatch, capsys):
    """Whatever is free: a refusal does not depend on what other jobs hold."""
    monkeypatch.setattr(memory, "_given", [])
    spec = ["--spec", '{"model": "relay", "n": 14, "gamma": 0.5}', "--policies", "1", "--seed", "0", "--scale", "1"]
    words = ["exact", "--instance", "a", *spec, "--output", str(tmp_path / "a.npz")]
    with pytest.raises(MemoryError, match="but 800 kB are allowed"):
        run(["--mem-mb", "1", *words])
    assert not (tmp_path / "a.npz").exists()
    with pytest.raises(SystemExit):
        run(["--mem-mb", "0", *words])
    assert "--mem-mb: expected an integer of at least 1" in capsys.readouterr().err
