"""The configuration and its schema, the verbs of the command line, and the plan of the workflow."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from sacrepro import cli
from sacrepro.claims import CLAIMS
from sacrepro.claims.comparison import Comparison, Verdict
from sacrepro.instances import MODELS, build
from sacrepro.instances.graphs import FAMILIES
from sacrepro.network import resolve
from sacrepro.plotting import FIGURES
from sacrepro.store import read_arrays, read_rows, write_rows

ROOT = Path(__file__).parent.parent
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
CONFIGS = {name: yaml.safe_load((ROOT / f"workflow/config/{name}.yaml").read_text()) for name in ("paper", "smoke")}


@pytest.mark.parametrize("name", CONFIGS)
def test_configurations_are_valid_and_their_instances_can_be_built(name):
    config = CONFIGS[name]
    jsonschema.validate(config, SCHEMA)
    for entry in config["instances"].values():
        assert build(resolve(entry["spec"])).n > 0
    for instance, run in config["sac"].items():
        assert instance in config["instances"]
        assert run["seeds"] >= 10


def objects(schema):
    """Every object schema inside `schema`."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for value in schema.values():
            yield from objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects(value)


def test_the_schema_refuses_unknown_keys_and_describes_every_key():
    for schema in objects(SCHEMA):
        assert schema.get("additionalProperties") is not None, schema
        # A specification admits what its model admits: its branches refuse the rest.
        assert schema["additionalProperties"] is not True or "allOf" in schema
        for key, value in schema.get("properties", {}).items():
            described = value if "$ref" not in value else SCHEMA["$defs"][value["$ref"].rsplit("/", 1)[1]] | value
            assert "description" in described, key


def test_the_schema_knows_every_model_and_graph_family():
    assert set(SCHEMA["$defs"]["graph"]["properties"]["family"]["enum"]) == set(FAMILIES)
    properties = [entry.get("properties", {}) for entry in SCHEMA["$defs"].values()]
    models = {entry["model"]["const"] for entry in properties if "model" in entry}
    specification = SCHEMA["properties"]["instances"]["additionalProperties"]["properties"]["spec"]
    assert models == set(MODELS) == set(specification["properties"]["model"]["enum"])
    assert {branch["then"]["$ref"].rsplit("/", 1)[1] for branch in specification["allOf"]} == models


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("published",), "yes"),
        (("unknown",), 1),
        (("policies", "count"), 0),
        (("policies", "scale"), 0),
        (("policies", "depth"), 1),
        (("instances", "Relay!"), {"exact": "tables", "spec": {"model": "relay", "n": 3, "gamma": 0.9}}),
        (("instances", "relay", "exact"), 1),
        (("instances", "relay", "spec", "gamma"), 1.0),
        (("instances", "relay", "spec", "color"), "red"),
        (("instances", "relay", "spec", "model"), "ising"),
        (("sac", "random_ring", "kappas"), [0, 0]),
        (("sac", "random_ring", "seeds"), 0),
        (("sac", "random_ring", "h"), 0),
        (("sac", "random_ring", "threads"), 8),
    ],
)
def test_the_schema_refuses(path, value):
    config = json.loads(json.dumps(CONFIGS["smoke"]))
    place = config
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(config, SCHEMA)


SPEC = '{"model": "relay", "n": 3, "gamma": 0.5}'
NOISY = '{"model": "relay", "n": 3, "gamma": 0.5, "noise": 0.5}'


def test_verbs_from_exact_values_to_the_verdict(tmp_path, capsys):
    paths = []
    for name, spec in (("relay", SPEC), ("noisy_relay", NOISY)):
        paths.append(str(tmp_path / f"{name}.npz"))
        options = ["--policies", "2", "--seed", "0", "--scale", "1"]
        cli.main(["exact", "--instance", name, "--spec", spec, *options, "--output", paths[-1]])
        assert read_arrays(paths[-1])["D"].shape == (2, 3, 3)
    tables = []
    for name in CLAIMS:
        tables.append(str(tmp_path / f"{name}.csv"))
        cli.main(["claim", name, *paths, "--output", tables[-1]])
        cli.main(["figure", name, tables[-1], "--output", str(tmp_path / f"{name}.svg")])
        assert (tmp_path / f"{name}.svg").read_text().startswith("<?xml")
    claims, markdown = tmp_path / "claims.csv", tmp_path / "claims.md"
    cli.main(["verdicts", *tables, "--output", str(claims), "--markdown", str(markdown)])
    assert "**tight**" in capsys.readouterr().out
    verdicts = {(row.claim, row.hypothesis): row.verdict for row in read_rows(claims, Verdict)}
    assert verdicts["lemma1", ""] == "holds"
    assert verdicts["lemma3", ""] == "tight"
    assert "violated" not in verdicts.values()
    cli.main(["verify", str(claims), "--output", str(tmp_path / "verified.txt")])
    assert (tmp_path / "verified.txt").exists()


def test_verify_fails_on_a_violated_claim_and_writes_nothing(tmp_path, capsys):
    comparisons = tmp_path / "lemma3.csv"
    write_rows(comparisons, Comparison, [Comparison("relay", "uniform", "", "", 1, 0, 2.0, 1.0, 0.0)])
    claims = tmp_path / "claims.csv"
    cli.main(["verdicts", str(comparisons), "--output", str(claims), "--markdown", str(tmp_path / "claims.md")])
    with pytest.raises(SystemExit) as stopped:
        cli.main(["verify", str(claims), "--output", str(tmp_path / "verified.txt")])
    assert stopped.value.code == 1
    assert "VIOLATED lemma3" in capsys.readouterr().out
    assert not (tmp_path / "verified.txt").exists()
    write_rows(claims, Verdict, [])
    with pytest.raises(ValueError, match="holds no claim"):
        cli.main(["verify", str(claims), "--output", str(tmp_path / "verified.txt")])


def test_verbs_from_runs_to_learning_curves(tmp_path):
    run = tmp_path / "run.npz"
    settings = ["--seeds", "2", "--M", "6", "--T", "5", "--h", "1", "--t0", "2", "--eta", "1", "--record-every", "2"]
    cli.main(["sac", "--instance", "relay", "--spec", SPEC, "--kappa", "1", *settings, "--output", str(run)])
    for name, flags in (("learning", []), ("objective", ["--exact"]), ("stationarity", ["--exact"])):
        rows = tmp_path / f"{name}.csv"
        cli.main(["trace", *flags, str(run), "--output", str(rows)])
        cli.main(["figure", name, str(rows), "--output", str(tmp_path / f"{name}.png")])
        assert (tmp_path / f"{name}.png").stat().st_size > 1000


def test_every_figure_is_drawn_for_some_rows():
    assert set(CLAIMS) <= set(FIGURES)


def test_the_command_line_explains_itself(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    assert "exact" in capsys.readouterr().out
    command = [sys.executable, "-m", "sacrepro", "claim", "lemma9", "x", "--output", "y"]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode != 0
    assert b"unknown claim 'lemma9'" in done.stderr


def test_the_workflow_plans_every_rule_from_an_empty_folder(tmp_path):
    for entry in ("Snakefile", "workflow", "profiles"):
        (tmp_path / entry).symlink_to(ROOT / entry)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for rule in ("exact", "claim", "sac", "warm", "learning", "stationarity", "figure", "verdicts", "verify"):
        assert f"rule {rule}:" in done.stdout + done.stderr, rule


def test_the_workflow_refuses_an_unknown_key(tmp_path):
    for entry in ("Snakefile", "workflow", "profiles"):
        (tmp_path / entry).symlink_to(ROOT / entry)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "--config", "threads=8"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "configuration, top level: Additional properties are not allowed ('threads' was unexpected)" in done.stdout


def test_the_workflow_names_the_key_that_is_wrong(tmp_path):
    for entry in ("Snakefile", "workflow", "profiles"):
        (tmp_path / entry).symlink_to(ROOT / entry)
    config = json.loads(json.dumps(CONFIGS["smoke"]))
    config["instances"]["relay"]["spec"]["gamma"] = 1.5
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "--configfile", "bad.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "configuration, instances.relay.spec.gamma: 1.5 is greater than or equal to the maximum of 1" in done.stdout


def network_config(tmp_path):
    """A study of one network file of its own."""
    for entry in ("Snakefile", "workflow", "profiles"):
        (tmp_path / entry).symlink_to(ROOT / entry)
    (tmp_path / "mine.yaml").write_text((ROOT / "workflow/networks/friends.yaml").read_text())
    config = json.loads(json.dumps(CONFIGS["smoke"]))
    config |= {"advice": {"mine": {"error": 0.3, "of": "q"}}, "sac": {}}
    config["instances"] = {"mine": {"exact": "tables", "spec": {"model": "file", "path": "mine.yaml"}}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    return [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", "config.yaml"]


def test_a_network_file_is_an_input_of_all_that_reads_it(tmp_path):
    command = network_config(tmp_path)
    done = subprocess.run([*command, "--dry-run"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("input: results/warm/exact.txt, mine.yaml") == 2  # exact and advise
    (tmp_path / "mine.yaml").write_text("gamma: [")
    done = subprocess.run([*command, "--dry-run"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "configuration, instances.mine.spec.path: mine.yaml: line " in done.stdout + done.stderr


def test_advice_is_for_network_files(tmp_path):
    command = network_config(tmp_path)
    config = yaml.safe_load((tmp_path / "config.yaml").read_text())
    config["advice"]["other"] = {"error": 0.3, "of": "q"}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    done = subprocess.run([*command, "--dry-run"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "configuration, advice.other: no instance of this name is a network file" in done.stdout + done.stderr


def test_results_on_a_network_file_do_not_need_it_any_more(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text((ROOT / "workflow/networks/friends.yaml").read_text())
    spec = json.dumps({"model": "file", "path": str(path)})
    exact, rows = tmp_path / "mine.npz", tmp_path / "lemma3.csv"
    options = ["--policies", "1", "--seed", "0", "--scale", "1"]
    cli.main(["exact", "--instance", "mine", "--spec", spec, *options, "--output", str(exact)])
    path.unlink()
    cli.main(["claim", "lemma3", str(exact), "--output", str(rows)])
    assert len(read_rows(rows, Comparison)) > 5
    with pytest.raises(SystemExit):
        cli.main(["exact", "--instance", "mine", "--spec", spec, *options, "--output", str(tmp_path / "other.npz")])
    assert not (tmp_path / "other.npz").exists()
