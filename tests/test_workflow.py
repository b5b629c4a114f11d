"""The configuration and its schema, the verbs of the command line, and the plan of the workflow."""

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml

from forked import snakemake
from sacrepro import cli
from sacrepro.archive.files import read_arrays, read_rows, write_rows
from sacrepro.instances import MODELS, build, build_for_sampling
from sacrepro.instances.graphs import FAMILIES
from sacrepro.instances.network.files import resolve
from sacrepro.study import plan
from sacrepro.study.audit.adversary import Found
from sacrepro.study.audit.falsify import Planted
from sacrepro.study.claims import CLAIMS
from sacrepro.study.drawings import FIGURES
from sacrepro.study.experiments.methods import MethodRow
from sacrepro.study.experiments.runs import DiagnosticRow
from sacrepro.study.experiments.summary import BestKappaRow
from sacrepro.study.measures.stationarity import StationarityRow
from sacrepro.study.record.comparison import Comparison, Verdict, verdict

ROOT = Path(__file__).parent.parent
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
CONFIGS = {name: yaml.safe_load((ROOT / f"workflow/config/{name}.yaml").read_text()) for name in ("paper", "smoke")}


@pytest.mark.parametrize("name", CONFIGS)
def test_configurations_are_valid_and_their_instances_can_be_built(name):
    config = CONFIGS[name]
    jsonschema.validate(config, SCHEMA)
    for entry in config["instances"].values():
        assert (build_for_sampling if entry["exact"] == "none" else build)(resolve(entry["spec"])).n > 0
    for instance, run in config["sac"].items():
        assert instance in config["instances"]
        assert run["seeds"] >= 12
    for instance in (*config.get("environments", ()), *config.get("table1", ())):
        assert instance in config["instances"]
    for instance in config.get("table1", ()):
        assert config["instances"][instance]["exact"] == "tables"


def test_every_claim_is_checked_on_enough_kinds_of_instances():
    """Discounts .5, .7, .9, .95; six graph families and more; random, structured and nearly deterministic kernels."""
    specs = [entry["spec"] for entry in CONFIGS["paper"]["instances"].values() if entry["exact"] == "tables"]
    assert {0.5, 0.7, 0.9, 0.95} <= {build(spec).gamma for spec in specs}
    families = {spec["graph"]["family"] for spec in specs if "graph" in spec}
    families |= {"path" for spec in specs if spec["model"] == "relay"}
    assert len(families) >= 6
    random_discounts = {spec["gamma"] for spec in specs if spec["model"] == "random"}
    assert random_discounts >= {0.5, 0.7, 0.9, 0.95}
    assert any(spec.get("concentration", 1.0) <= 0.02 for spec in specs)
    assert {"relay", "broadcast", "td_witness", "sis"} <= {spec["model"] for spec in specs}
    assert CONFIGS["paper"]["policies"]["count"] >= 3
    assert build(CONFIGS["paper"]["scale"]["spec"]).n == 100_000


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


def test_verbs_from_exact_values_to_the_verdict(tmp_path, capsys, monkeypatch):
    """A few runs of Algorithm 1, and the plants of some claims: tests of their own have all of them."""
    monkeypatch.setattr("sacrepro.study.claims.theorem5_sharp.SEEDS", 10)
    some, paths = ["lemma3", "lemma4", "td_fixed_point"], []
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
    counterexamples, planted = tmp_path / "counterexamples.csv", tmp_path / "falsification.csv"
    cli.main(["counterexamples", "--output", str(counterexamples)])
    cli.main(["falsify", "--claims", *some, "--output", str(planted)])
    options = ["--counterexamples", str(counterexamples), "--output", str(claims), "--markdown", str(markdown)]
    cli.main(["verdicts", *tables, *options])
    assert "**tight**" in capsys.readouterr().out
    verdicts = {(row.claim, row.hypothesis): row.verdict for row in read_rows(claims, Verdict)}
    assert verdicts["lemma1", ""] == "holds"
    assert verdicts["lemma3", ""] == "tight"
    assert "violated" not in verdicts.values()
    assert verdicts["td_fixed_point", "form (5)"] == "false as written"
    assert "**false as written**" in markdown.read_text()
    options = ["--falsification", str(planted), "--of", *some, "--output", str(tmp_path / "verified.txt")]
    cli.main(["verify", str(claims), *options])
    passed = (tmp_path / "verified.txt").read_text().splitlines()
    assert len(passed) == 3
    assert all("none violated" in line or "all " in line for line in passed)


def test_verify_fails_on_a_violated_claim_and_writes_nothing(tmp_path, capsys):
    comparisons = tmp_path / "lemma3.csv"
    write_rows(comparisons, Comparison, [Comparison("relay", "uniform", "", "", 1, 0, 2.0, 1.0, 0.0)])
    claims = tmp_path / "claims.csv"
    cli.main(["verdicts", str(comparisons), "--keep-going", "--output", str(claims)])
    with pytest.raises(SystemExit) as stopped:
        cli.main(["verify", str(claims), "--output", str(tmp_path / "verified.txt")])
    assert stopped.value.code == 1
    assert "VIOLATED lemma3" in capsys.readouterr().out
    assert not (tmp_path / "verified.txt").exists()
    write_rows(claims, Verdict, [])
    with pytest.raises(ValueError, match="holds no claim"):
        cli.main(["verify", str(claims), "--output", str(tmp_path / "verified.txt")])


def test_verify_fails_on_a_counterexample_that_is_none_and_on_a_plant_that_is_not_caught(tmp_path, capsys):
    """An empty table of counterexamples earns no verdict; a plant that is missing or not caught is named."""
    comparisons, none = tmp_path / "lemma3.csv", tmp_path / "counterexamples.csv"
    write_rows(comparisons, Comparison, [Comparison("relay", "uniform", "", "", 1, 0, 1.0, 1.0, 0.0)])
    write_rows(none, Comparison, [])
    claims, verified = str(tmp_path / "claims.csv"), str(tmp_path / "verified.txt")
    markdown = ["--keep-going", "--markdown", str(tmp_path / "claims.md")]
    cli.main(["verdicts", str(comparisons), "--counterexamples", str(none), "--output", claims, *markdown])
    with pytest.raises(SystemExit):
        cli.main(["verify", claims, "--output", verified])
    assert "NO COUNTEREXAMPLE td_fixed_point, form (5)" in capsys.readouterr().out
    cli.main(["verdicts", str(comparisons), "--output", claims, *markdown])
    planted = tmp_path / "falsification.csv"
    write_rows(planted, Planted, [Planted("κ+2", "lemma3", "", "tight", 1, 0, 1.0, "", "no", "")])
    with pytest.raises(SystemExit):
        cli.main(["verify", claims, "--falsification", str(planted), "--output", verified])
    told = capsys.readouterr().out
    assert "NOT CAUGHT κ+2 in lemma3" in told
    assert "CAUGHT 0 of" in told
    assert not Path(verified).exists()


def test_verify_fails_on_what_the_adversary_and_the_large_network_violate(tmp_path, capsys):
    """A violated comparison at scale, one on the climb, and a variant that was not attacked are each named."""
    comparisons, claims = tmp_path / "lemma3.csv", str(tmp_path / "claims.csv")
    write_rows(comparisons, Comparison, [Comparison("relay", "uniform", "", "", 1, 0, 1.0, 1.0, 0.0)])
    cli.main(["verdicts", str(comparisons), "--output", claims, "--markdown", str(tmp_path / "claims.md")])
    large, found = tmp_path / "scale.csv", tmp_path / "adversary.csv"
    write_rows(large, Comparison, [Comparison("ring", "uniform", "influence", "", 7, 0, 2.0, 1.0, 0.0)])
    write_rows(found, Found, [Found("lemma3", "", 1, 5, 1, 0.5, 1.5, "n=2", 1.0, "relay")])
    options = ["--scale", str(large), "--adversary", str(found), "--output", str(tmp_path / "verified.txt")]
    with pytest.raises(SystemExit):
        cli.main(["verify", claims, *options])
    told = capsys.readouterr().out
    assert "VIOLATED at scale: influence at ring, θ uniform, agent 7" in told
    assert "VIOLATED under attack lemma3 : 1.5 at n=2" in told
    assert "NOT ATTACKED truncation" in told
    assert not (tmp_path / "verified.txt").exists()


def test_the_adversary_from_search_to_figure(tmp_path):
    tables = [str(tmp_path / f"{name}.csv") for name in ("lemma3", "truncation")]
    for name, table in zip(("lemma3", "truncation"), tables, strict=True):
        options = ["--evaluations", "5", "--seed", "0", "--models", str(tmp_path / f"{name}.npz")]
        cli.main(["adversary", name, *options, "--output", table])
    joined = tmp_path / "adversary.csv"
    cli.main(["adversary-table", *tables, "--output", str(joined)])
    assert [row.claim for row in read_rows(joined, Found)] == ["lemma3", "truncation"]
    cli.main(["figure", "adversary", str(joined), "--output", str(tmp_path / "adversary.svg")])
    assert (tmp_path / "adversary.svg").read_text().startswith("<?xml")


def test_verbs_from_runs_to_learning_curves(tmp_path):
    run = tmp_path / "run.npz"
    settings = ["--seeds", "2", "--M", "6", "--T", "5", "--h", "1", "--t0", "2", "--eta", "1", "--record-every", "2"]
    cli.main(["sac", "--instance", "relay", "--spec", NOISY, "--kappa", "1", *settings, "--output", str(run)])
    for kind, flags, figures in (
        ("learning", [], ["learning"]),
        ("stationarity", ["--exact"], ["objective", "stationarity"]),
    ):
        rows, summary = tmp_path / f"{kind}.csv", tmp_path / f"{kind}_summary.csv"
        cli.main(["trace", *flags, str(run), "--output", str(rows)])
        draw(kind, [rows], summary, figures)
    rows = tmp_path / "diagnostics.csv"
    cli.main(["diagnostics", str(run), "--records", "2", "--output", str(rows)])
    assert {row.m for row in read_rows(rows, DiagnosticRow)} == {0, 6}
    draw("diagnostics", [rows], tmp_path / "diagnostics_summary.csv", ["diagnostics"])
    rows = tmp_path / "simulated.csv"
    cli.main(["simulated", str(run), "--records", "2", "--episodes", "5", "--T", "9", "--output", str(rows)])
    draw("simulated", [rows], tmp_path / "simulated_summary.csv", ["simulated"])


def draw(kind, rows, summary, figures):
    """The figures of one kind of rows, by way of their summary."""
    cli.main(["summary", kind, *map(str, rows), "--output", str(summary)])
    for name in figures:
        picture = summary.with_name(f"{name}.png")
        cli.main(["figure", name, str(summary), "--output", str(picture)])
        assert picture.stat().st_size > 1000


def test_verbs_of_the_ascent_without_sampling(tmp_path):
    rows = tmp_path / "exact_critic.csv"
    settings = ["--kappas", "0", "1", "--M", "4", "--eta", "1", "--record-every", "2"]
    cli.main(["exact-critic", "--instance", "relay", "--spec", NOISY, *settings, "--output", str(rows)])
    assert [row.m for row in read_rows(rows, StationarityRow)] == [0, 2, 4] * 2
    draw("exact_critic", [rows], tmp_path / "exact_critic_summary.csv", ["exact_critic"])


def test_verbs_of_the_experiments(tmp_path):
    rows = tmp_path / "critic_error.csv"
    options = ["--instance", "relay", "--spec", NOISY]
    settings = ["--kappas", "0", "1", "--lengths", "20", "80", "--seeds", "2"]
    cli.main(["critic-error", *options, *settings, "--output", str(rows)])
    summaries = tmp_path / "critic_error_summary.csv"
    draw("critic_error", [rows], summaries, ["critic_error", "critic_floor"])
    cli.main(["best-kappa", str(summaries), "--output", str(tmp_path / "best.csv")])
    assert [(row.quantity, row.x) for row in read_rows(tmp_path / "best.csv", BestKappaRow)] == [
        ("to_Q", 20.0),
        ("to_Q", 80.0),
    ]
    rows = tmp_path / "methods.csv"
    methods = ["--methods", "SAC", "SARSA", "exact gradient"]
    settings = ["--kappa", "1", "--seeds", "2", "--M", "4", "--T", "9", "--h", "1", "--t0", "2", "--record-every", "2"]
    cli.main(["methods", *options, *settings, "--etas", "0.5", "1", *methods, "--output", str(rows)])
    assert len(read_rows(rows, MethodRow)) == (2 * 2 + 2 + 2) * 3
    draw("methods", [rows], tmp_path / "methods_summary.csv", ["extensions"])
    rows = tmp_path / "estimators.csv"
    settings = ["--kappa", "1", "--lengths", "9", "--episodes", "4", "--h", "1", "--t0", "2"]
    cli.main(["estimators", *options, *settings, "--output", str(rows)])
    cli.main(["figure", "estimators", str(rows), "--output", str(tmp_path / "estimators.png")])
    assert (tmp_path / "estimators.png").stat().st_size > 1000


def test_a_run_that_is_killed_leaves_nothing_and_is_repeated_byte_for_byte(tmp_path):
    """Killed before it ends it has no output; run again, twice, it has the same bytes."""

    def command(M, output):
        settings = ["--seeds", "3", "--M", str(M), "--T", "200", "--h", "1", "--t0", "2", "--eta", "1"]
        verb = [sys.executable, "-m", "sacrepro", "sac", "--instance", "relay", "--spec", NOISY, "--kappa", "1"]
        return [*verb, *settings, "--record-every", "50", "--output", str(tmp_path / output)]

    endless = subprocess.Popen(command(10**8, "killed.npz"), stdout=subprocess.DEVNULL)
    with pytest.raises(subprocess.TimeoutExpired):
        endless.wait(timeout=3)
    endless.kill()
    endless.wait()
    assert not list(tmp_path.iterdir())
    for name in ("once.npz", "again.npz"):
        subprocess.run(command(200, name), check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / "once.npz").read_bytes() == (tmp_path / "again.npz").read_bytes()


def test_every_figure_is_drawn_for_some_rows():
    assert set(CLAIMS) <= set(FIGURES)


def test_the_command_line_explains_itself(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    printed = capsys.readouterr().out
    person, workflow = printed.split("for you:")[1].split("for the workflow:")
    verbs = [re.findall(r"^  ([a-z0-9-]+)  ", part, flags=re.MULTILINE) for part in (person, workflow)]
    assert verbs[0] == list(cli.FOR_YOU)
    assert sorted(verbs[0] + verbs[1]) == sorted(cli.verbs())
    for wrong, message in (("advice", "no verb 'advice'; did you mean 'advise'?"), ("xyz", "no verb 'xyz'; --help")):
        with pytest.raises(SystemExit):
            cli.main([wrong])
        assert message in (said := capsys.readouterr().err)
        assert len(said.splitlines()) == 2
    with pytest.raises(SystemExit):
        cli.main(["advise", "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    assert "example: sacrepro advise mine.yaml --error 0.3" in printed
    assert "first of the pilot; 0 by default" in printed
    assert "20 by default" in printed
    command = [sys.executable, "-m", "sacrepro", "claim", "lemma9", "x", "--output", "y"]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode != 0
    assert b"unknown claim 'lemma9'" in done.stderr


def test_the_workflow_plans_every_rule_from_an_empty_folder(tmp_path):
    for entry in ("Snakefile", "workflow", "profiles", "paper"):
        (tmp_path / entry).symlink_to(ROOT / entry)
    done = snakemake("--cores", 1, "--dry-run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    experiments = (
        "critic_error_of_noisy_relay",
        "diagnostics_of_courtesy",
        "methods_of_courtesy",
        "estimators",
        "simulated",
        "summaries",
    )
    rules = (
        "exact_of_small-ones",
        "exact_of_courtesy",
        "claims_of_tables",
        "claims_of_theorem5",
        "sac_on_courtesy",
        "environments",
        "warm",
        "counterexamples",
        "falsify",
        "learning",
        "stationarity",
        *experiments,
        "figures_of_claims",
        "figures_of_runs",
        "figures_of_surveys",
        "verdicts",
        "verify",
    )
    said = done.stdout + done.stderr
    for rule in rules:
        assert f"rule {rule}:" in said, rule
    written = {path for line in re.findall(r"^    output: (.*)$", said, flags=re.M) for path in line.split(", ")}
    (asked,) = re.findall(r"^(?:local)?rule all:\n    input: (.*)$", said, flags=re.M)
    # What is not asked for by name does not come back once what is made from it is there.
    assert {path for path in written if not path.startswith("logs/")} == set(asked.split(", "))


def test_the_groups_of_the_slurm_profile_are_of_rules_that_there_are():
    """Snakemake passes over a rule that it does not know, and each of its jobs would be a submission."""
    profile = yaml.safe_load((ROOT / "workflow/profiles/slurm/config.yaml").read_text())
    groups = dict(entry.split("=") for entry in profile["groups"])
    whole = plan.Plan(CONFIGS["paper"])
    dynamic = {f"claims_of_{place}": "claims" for place in whole.measured}
    dynamic |= {f"figures_of_{kind}": "figures" for kind in whole.pictured}
    assert {rule: group for rule, group in groups.items() if "_of_" in rule} == dynamic
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    assert all(f"rule {rule}:" in rules for rule in groups.keys() - dynamic)
    assert {entry.partition("=")[0] for entry in profile["group-components"]} == {*groups.values()}


def test_the_workflow_refuses_an_unknown_key(tmp_path):
    for entry in ("Snakefile", "workflow", "profiles", "paper"):
        (tmp_path / entry).symlink_to(ROOT / entry)
    done = snakemake("--cores", 1, "--dry-run", "--config", "threads=8", cwd=tmp_path)
    assert done.returncode != 0
    assert "configuration, top level: 'threads' was unexpected; known keys are published, claims, " in done.stdout


def test_the_workflow_names_the_key_that_is_wrong(tmp_path):
    for entry in ("Snakefile", "workflow", "profiles", "paper"):
        (tmp_path / entry).symlink_to(ROOT / entry)
    config = json.loads(json.dumps(CONFIGS["smoke"]))
    config["instances"]["relay"]["spec"]["gamma"] = 1.5
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(config))
    done = snakemake("--cores", 1, "--dry-run", "--configfile", "bad.yaml", cwd=tmp_path)
    assert done.returncode != 0
    assert "configuration, instances.relay.spec.gamma: 1.5 must be below 1" in done.stdout


def network_config(tmp_path):
    """A study of one network file of its own."""
    for entry in ("Snakefile", "workflow", "profiles"):
        (tmp_path / entry).symlink_to(ROOT / entry)
    (tmp_path / "mine.yaml").write_text((ROOT / "workflow/networks/friends.yaml").read_text())
    config = json.loads(json.dumps(CONFIGS["smoke"]))
    config |= {"advice": {"mine": {"error": 0.3, "of": "q"}}, "sac": {}, "environments": [], "critic_error": {}}
    config.pop("diagnostics", None)
    config["figures"] = ["lemma3"]
    config["instances"] = {"mine": {"exact": "tables", "spec": {"model": "file", "path": "mine.yaml"}}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    return ["--cores", 1, "--dry-run", "--configfile", "config.yaml"]


def test_a_network_file_is_an_input_of_all_that_reads_it(tmp_path):
    command = network_config(tmp_path)
    done = snakemake(*command, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("input: logs/compiled/exact.txt, mine.yaml") == 2  # exact and advise
    (tmp_path / "mine.yaml").write_text("gamma: [")
    done = snakemake(*command, cwd=tmp_path)
    assert done.returncode != 0
    assert "configuration, instances.mine.spec.path: mine.yaml: line " in done.stdout + done.stderr


def test_advice_is_for_network_files(tmp_path):
    command = network_config(tmp_path)
    config = yaml.safe_load((tmp_path / "config.yaml").read_text())
    config["advice"]["other"] = {"error": 0.3, "of": "q"}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    done = snakemake(*command, cwd=tmp_path)
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


RELAY = '{"model":"relay","n":3,"gamma":0.5}'
EXACT = f"exact --instance a --spec {RELAY} --policies 1 --seed 0 --scale 1"
SAC = f"sac --instance a --spec {RELAY} --kappa 1 --seeds 1 --M 1 --T 2 --h 1 --t0 1 --eta 1 --record-every 1"
SCALE = f"scale --instance a --spec {RELAY} --agents 2 --kappa-max 1 --tol 0.1"
ESTIMATORS = f"estimators --instance a --spec {RELAY} --kappa 1 --lengths 5 --episodes 2 --h 1 --t0 1"
METHODS_RUN = (
    f"methods --instance a --spec {RELAY} --kappa 1 --seeds 1 --M 1 --T 2 --h 1 --t0 1 --etas 1 --record-every 1"
)
WIRELESS = "wireless run --episodes 2 --method published --kappa 0 --seeds 1 --M 1 --records 1"
AT_LEAST_ONE = "expected an integer of at least 1, got '0'"
AT_LEAST_ZERO = "expected an integer of at least 0, got '-1'"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        *(
            (f"{EXACT} --spec {text}", f"argument --spec: expected a JSON object such as .*, got '{re.escape(text)}'")
            for text in ("[]", "3", "null")
        ),
        (EXACT + " --spec trio_90", "instances of the study by name: `instances:` of workflow/config/paper.yaml"),
        (EXACT + " --spec {", "argument --spec: '{' is not JSON"),
        (EXACT + ' --spec {"model":"file"}', "argument --spec: instance: path must be the name of .*, got None"),
        (EXACT + ' --spec {"model":"file","path":3}', "instance: path must be the name of .*, got 3"),
        (f"{EXACT} --policies 0", f"--policies: {AT_LEAST_ONE}"),
        (f"{EXACT} --seed -1", f"--seed: {AT_LEAST_ZERO}"),
        (f"{EXACT} --scale -1", "--scale: expected a finite number of at least 0, got '-1'"),
        (f"{EXACT} --scale x", "--scale: expected a finite number of at least 0, got 'x'"),
        (f"{SAC} --seeds 0", f"--seeds: {AT_LEAST_ONE}"),
        (f"{SAC} --M 1.5", "--M: expected an integer of at least 1, got '1.5'"),
        (f"{SAC} --eta inf", "--eta: expected a finite number above 0, got 'inf'"),
        (f"{SCALE} --agents 0", f"--agents: {AT_LEAST_ONE}"),
        (f"{SCALE} --kappa-max -1", f"--kappa-max: {AT_LEAST_ZERO}"),
        (f"{SCALE} --tol nan", "--tol: expected a finite number above 0, got 'nan'"),
        (f"{ESTIMATORS} --episodes 1", "--episodes: expected an integer of at least 2, got '1'"),
        (
            f"{METHODS_RUN} --methods sac",
            "--methods: unknown method 'sac'; did you mean 'SAC'",
        ),
        (f"{METHODS_RUN} --seeds 0", f"--seeds: {AT_LEAST_ONE}"),
        ("claim lemma33 x.npz", "argument claim: unknown claim 'lemma33'; did you mean 'lemma3'"),
        ("figure lemma44 x.csv", "argument figure: unknown figure 'lemma44'; did you mean 'lemma4'"),
        ("summary curves x.csv", "argument kind: unknown kind of rows 'curves'; known are learning, "),
        (
            "adversary lemma1 --evaluations 2 --seed 0 --models m.npz",
            "argument claim: unknown claim 'lemma1'; did you mean 'lemma",
        ),
        ("adversary lemma3 --evaluations 0 --seed 0 --models m.npz", f"--evaluations: {AT_LEAST_ONE}"),
        ("diagnostics x.npz --records 0", f"--records: {AT_LEAST_ONE}"),
        ("simulated x.npz --records 1 --episodes 2 --T 0", f"--T: {AT_LEAST_ONE}"),
        (f"{WIRELESS} --records 0", f"--records: {AT_LEAST_ONE}"),
        (f"{WIRELESS} --episodes 1", "--episodes: expected an integer of at least 2"),
        (f"{WIRELESS} --lambda 2", "--lambda: expected a finite number of at least 0 and at most 1, got '2'"),
        ("bench exact --families paths", "--families: unknown family 'paths'; did you mean 'path'"),
        ("bench exact --methods nope", "--methods: unknown method 'nope'; known are engine, dense_lu"),
        ("bench exact --quantities nope", "--quantities: unknown quantity 'nope'; known are V_i, sticky"),
        ("bench exact --gammas 1", "--gammas: expected a finite number of at least 0 and below 1, got '1'"),
        ("bench sac --families ring", "--families: unknown family 'ring'; known are path, grid"),
        ("bench sac --methods nope", "--methods: unknown method 'nope'; known are sac, "),
        ("bench sac --sizes 0", f"--sizes: {AT_LEAST_ONE}"),
        ("bench sac --pairs 2", "--pairs: expected two numbers of at least 1 such as 2,3, got '2'"),
        ("bench sac --repeats 0", f"--repeats: {AT_LEAST_ONE}"),
        ("environments --certified []", r"--certified: expected a JSON object such as .*, got '\[\]'"),
        ("config []", r"config: expected a JSON object such as .*, got '\[\]'"),
    ],
)
def test_arguments_are_refused_by_name_before_anything_is_written(tmp_path, capsys, words, message):
    output = tmp_path / "folder" / ("a.svg" if words.startswith("figure") else "a")
    with pytest.raises(SystemExit) as stopped:
        cli.main([*words.split(), "--output", str(output)])
    assert stopped.value.code == 2
    assert re.search(message, capsys.readouterr().err)
    assert not output.parent.exists()


def test_one_measurement_needs_a_method_an_instance_or_a_quantity():
    for words, message in (
        ("bench-one nope path 4 0.5", "unknown method 'nope'; known are engine"),
        ("bench-one engine path", "a method needs the number of agents n and the discount gamma"),
        ("bench-one quantity nope", "unknown quantity 'nope'; known are V_i, sticky"),
    ):
        with pytest.raises(ValueError, match=message):
            cli.main(words.split())


def test_files_of_the_wrong_kind_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cli.main([*EXACT.split(), "--output", "exact.npz"])
    cli.main([*SAC.split(), "--output", "sac.npz"])
    np.save("one.npy", np.ones(3))
    write_rows("lemma3.csv", Comparison, [])
    write_rows(
        "verdicts.csv", Verdict, [verdict("lemma3", "s", "r", [Comparison("a", "u", "", "", 0, 0, 0.5, 1.0, 0.0)])]
    )
    for name, text in (("three", "3"), ("empty", "{}"), ("files", '{"files": {"a": 3}}')):
        (tmp_path / f"{name}.json").write_text(text)
    before = sorted(tmp_path.iterdir())
    no_exact = r"sac.npz has no array 'policy'; expected a file written by `exact`"
    no_run = r"exact.npz has no array 'kappa'; expected a file written by `sac`"
    no_rows = "lemma3.csv: no rows below the header"
    for words, message in (
        ("claim lemma3 sac.npz", no_exact),
        ("decay-map sac.npz", no_exact),
        ("environments sac.npz", no_exact),
        ("table1 sac.npz --settings {} --markdown m.md", no_exact),
        ("table1 exact.npz --settings {} --markdown m.md", "--settings: the instance 'a' of exact.npz has no setting"),
        ("environments", "nothing to compare"),
        ("claim lemma3 one.npy", "one.npy is not a readable npz file: it holds one array without a name"),
        ("trace exact.npz", no_run),
        ("diagnostics exact.npz --records 1", no_run),
        ("simulated exact.npz --records 1 --episodes 2 --T 2", no_run),
        ("figure lemma3 lemma3.csv", no_rows),
        ("verdicts lemma3.csv --markdown m.md", no_rows),
        ("verify verdicts.csv --scale lemma3.csv", no_rows),
        ("check three.json", "three.json holds no JSON object; expected a file written by `manifest`"),
        ("check empty.json", "empty.json has no key 'files'; expected a file written by `manifest`"),
        ("check files.json", "files.json: files must hold a sha256 for each file"),
        (
            "manifest absent --config empty.json --log l.json",
            "absent does not exist, expected a file or a folder",
        ),
        (
            "manifest . --config three.json --log l.json",
            "three.json holds no JSON object; expected a file written by `config`",
        ),
        (
            "report verdicts.csv empty.json empty.json --template t --references r --pages p --figures",
            "empty.json has no key 'claims'; expected a file written by `catalog`",
        ),
    ):
        output = (
            [] if words.startswith("check") else ["--output", "a.json" if words.startswith("manifest") else "a.svg"]
        )
        if words.startswith("report"):
            (tmp_path / "p").write_text("")
        with pytest.raises(ValueError, match=message):
            cli.main([*words.split(), *output])
    assert set(tmp_path.iterdir()) - set(before) <= {tmp_path / "p"}


def test_of_several_outputs_none_is_written_if_one_cannot_be(tmp_path, capsys):
    """Also where a folder is missing: it is made for a file that is written, not for one that is not."""
    rows, file = tmp_path / "rows.csv", tmp_path / "a_file"
    cli.main([*SAC.split(), "--output", str(tmp_path / "sac.npz")])
    cli.main(["trace", str(tmp_path / "sac.npz"), "--exact", "--output", str(rows)])
    cli.main(["new", str(tmp_path / "net.yaml")])
    file.write_text("")
    good = tmp_path / "new" / "good.svg"
    for bad, message in (
        (tmp_path / "bad.bmp", "bad.bmp: expected a name ending in .svg, .pdf, .png"),
        (tmp_path / "folder.svg", "folder.svg is a folder, expected the name of a file"),
        (file / "bad.svg", "bad.svg cannot be written: .*a_file is not a folder"),
    ):
        (tmp_path / "folder.svg").mkdir(exist_ok=True)
        for words in (
            ["figure", "stationarity", str(rows), "--output"],
            ["advise", str(tmp_path / "net.yaml"), "--error", "1", "--seconds", "0", "--figure"],
        ):
            with pytest.raises(SystemExit) as stopped:
                cli.main([*words, str(good), str(bad)])
            assert stopped.value.code == 2
            assert re.search(message, capsys.readouterr().err)
            assert not good.parent.exists()


def test_every_number_of_the_smallest_run_is_the_least_that_the_schema_allows():
    """So `every_rule.yaml` shows that these run."""
    smallest = yaml.safe_load((ROOT / "tests/workflow/every_rule.yaml").read_text(encoding="utf-8"))
    jsonschema.validate(smallest, SCHEMA)

    def integers(value, rules):
        rules = SCHEMA["$defs"][rules["$ref"].rsplit("/", 1)[1]] if "$ref" in rules else rules
        if isinstance(value, dict):
            for key, inner in value.items():
                own = rules.get("properties", {}).get(key, rules.get("additionalProperties"))
                if key != "spec" and isinstance(own, dict):
                    yield from integers(inner, own)
        elif isinstance(value, list):
            for inner in value:
                yield from integers(inner, rules.get("items", {}))
        elif rules.get("type") == "integer":
            yield value, rules["minimum"]

    found = list(integers(smallest, SCHEMA))
    assert len(found) > 40
    assert all(value == least for value, least in found)
