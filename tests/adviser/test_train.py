"""`sacrepro train` and `evaluate`, and policies by names: what is written reads back, and what is wrong is named."""

import csv
import json
import re
from functools import partial

import numpy as np
import pytest
import yaml
from network_files import load_dict, written
from test_pilot import FRIENDS, RING

from sacrepro import SACTrace, best_joint, best_localized, cli, evaluate, uniform_theta
from sacrepro.adviser.evaluation import half_width
from sacrepro.adviser.policies import policy_text, read_policies, read_policy, theta_of
from sacrepro.archive.files import read_arrays
from sacrepro.instances.network.files import load
from sacrepro.model.policy import gaussian_theta, softmax

FEW = ["--M", "20", "--T", "30", "--eta", "0.5", "--seeds", "2"]
CARE = {"policy": {"healthy": "wait", "sick": "treat"}}


@pytest.fixture
def friends(tmp_path):
    return written(tmp_path, FRIENDS, "friends.yaml")


def test_an_expert_is_set_beside_runs_and_the_optimum(tmp_path, friends, capsys):
    """κ after κ, with the certified ends of each difference."""
    theta, care, record = tmp_path / "t.npz", tmp_path / "care.yaml", tmp_path / "e.json"
    care.write_text(yaml.safe_dump(CARE))
    run("train", friends, "--kappa", "0", "1", *FEW, "--theta", theta)
    capsys.readouterr()
    others = ["--against", theta, "--against", "uniform", "--against", "optimum"]
    run("evaluate", friends, "--policy", care, *others, "--output", record)
    printed, kept = capsys.readouterr().out, json.loads(record.read_text())
    network = load(friends)
    mdp, expert = network.mdp(), evaluate(network.mdp(), read_policy(network, str(care))).J
    rows = {row["name"]: row for row in kept["against"]}
    flat = [read_policy(network, str(theta), kappa, seed) for kappa in (0, 1) for seed in (0, 1)]
    J = [evaluate(mdp, block).J for block in flat]
    best = {"the best localized policy that is deterministic": best_localized, "the best joint policy": best_joint}
    expected = {
        f"{theta}, κ = 0": (J[0] + J[1]) / 2,
        f"{theta}, κ = 1": (J[2] + J[3]) / 2,
        "uniform": evaluate(mdp, uniform_theta(mdp)).J,
        **{name: function(mdp).J for name, function in best.items()},
    }
    assert rows.keys() == expected.keys()
    for name, value in expected.items():
        assert rows[name]["J"] == pytest.approx(value, abs=1e-9)
        assert rows[name]["method"] == "exact"
        assert rows[name]["more_low"] <= value - expert + 1e-9
        assert rows[name]["more_high"] >= value - expert - 1e-9
        assert rows[name]["more_high"] - rows[name]["more_low"] < 1e-6
        assert name in printed
    assert rows[f"{theta}, κ = 0"]["runs"] == 2
    assert ", mean of 2" in printed
    noise = half_width(np.array(J[:2]))
    assert rows[f"{theta}, κ = 0"]["noise"] == pytest.approx(noise, rel=1e-9)
    assert rows["uniform"]["noise"] is None
    (line,) = [line for line in printed.splitlines() if line.startswith(f"{theta}, κ = 0")]
    low, high = (float(end) for end in line.rpartition("[")[2].rstrip("]").split(", "))
    most = network.r_bar / (1 - network.gamma)
    assert low == pytest.approx(max((J[0] + J[1]) / 2 - noise, 0.0) - expert, rel=5e-3)
    assert high == pytest.approx(min((J[0] + J[1]) / 2 + noise, most) - expert, rel=5e-3)
    assert "95 % over seeds" in printed


def test_a_network_too_large_is_compared_by_simulation(tmp_path, capsys):
    path = written(tmp_path, RING | {"graph": {"family": "ring", "n": 40}}, "ring.yaml")
    run("evaluate", path, "--against", "uniform", "--episodes", "8", "--seconds", "0", "--output", tmp_path / "e.json")
    (row,) = json.loads((tmp_path / "e.json").read_text())["against"]
    assert row["method"] == "simulation"
    assert row["more_low"] < 0 < row["more_high"]
    with pytest.raises(ValueError, match=r"--against optimum needs a table over \(s, a\)"):
        run("evaluate", path, "--against", "optimum", "--episodes", "8", "--seconds", "0")
    with pytest.raises(ValueError, match=r"runs.npz: cannot be read"):
        run("evaluate", path, "--against", "runs.npz")


def ann(sick):
    """What ann alone does when sick."""
    return CARE | {"agents": {"ann": {"sick": sick}}}


def run(*words):
    cli.main([str(word) for word in words])


def test_what_train_writes_evaluate_reads(tmp_path, friends, capsys, monkeypatch):
    monkeypatch.setattr("sacrepro.adviser.clock.SILENT", 0.0)
    rows, record, theta, policy, same = (tmp_path / n for n in ("r.csv", "r.json", "t.npz", "p.yaml", "p.json"))
    outputs = ["--output", rows, record, "--theta", theta, "--policy", policy, same]
    run("train", friends, "--kappa", "0", "1", *FEW, *outputs)
    printed = capsys.readouterr()
    assert "h = 3" in printed.out
    assert "Theorem 5 asks for h" in printed.out
    assert "J at the start, the uniform policy: 4.277" in printed.out
    assert printed.out.count("written") == 5
    assert "κ = 1, seeds 0 to 1: 2 of 4 runs done …" in printed.err
    runs = list(csv.DictReader(rows.read_text().splitlines()))
    assert [(row["kappa"], row["seed"]) for row in runs] == [("0", "0"), ("0", "1"), ("1", "0"), ("1", "1")]
    kept = json.loads(record.read_text())
    assert kept["best"] in (0, 1)
    assert kept["text"] in printed.out
    assert kept["proposal"]["t0"] == 6.0
    arrays = read_arrays(theta)
    assert arrays["theta"].shape == (4, 20)

    network = load(friends)
    best = max((row for row in runs if int(row["kappa"]) == kept["best"]), key=lambda row: float(row["J"]))
    for source in (policy, same, theta):
        which = (int(best["kappa"]), int(best["seed"])) if source == theta else ()
        found = read_policy(network, str(source), *which)
        assert pytest.approx(float(best["J"]), abs=1e-9) == evaluate(network.mdp(), found).J
    run("evaluate", friends, "--policy", policy, "--agent", "eve", "--output", tmp_path / "e.json")
    assert f"J = {float(best['J']):.8g}"[:12] in capsys.readouterr().out
    assert [agent["name"] for agent in json.loads((tmp_path / "e.json").read_text())["agents"]] == ["eve"]
    run("evaluate", friends, "--policy", theta, "--kappa", "1", "--run", "0")
    assert f"J = {float(runs[2]['J']):.8g}"[:12] in capsys.readouterr().out


def test_same_arguments_same_bytes(tmp_path, friends):
    for name in ("a", "b"):
        run(
            "train",
            friends,
            "--kappa",
            "0",
            *FEW,
            "--theta",
            tmp_path / f"{name}.npz",
            "--output",
            tmp_path / f"{name}.csv",
        )
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_network_that_is_not_solved_is_trained_and_judged_by_simulation(tmp_path, capsys):
    path = written(tmp_path, RING)
    run("train", path, "--kappa", "1", *FEW, "--episodes", "4", "--policy", tmp_path / "p.yaml")
    printed = capsys.readouterr().out
    assert "by simulation on fresh episodes" in printed
    assert "and so rather too large" in printed
    run("evaluate", path, "--policy", tmp_path / "p.yaml", "--episodes", "4", "--seconds", "0")
    assert "95 % confidence" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--kappa", "4"], r"kappa = 4 is beyond the diameter of the graph, 3: .* of kappa = 3; expected at most 3"),
        (["--kappa", "0", "0"], "kappa: 0 is asked for twice"),
        (["--kappa", "0", "--h", "9", "--t0", "3"], "h must be at most t0"),
    ],
)
def test_train_refuses_in_one_line_and_writes_nothing(tmp_path, friends, words, message):
    with pytest.raises(ValueError, match=message):
        run("train", friends, *words, *FEW, "--output", tmp_path / "r.csv")
    assert not (tmp_path / "r.csv").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "x.yaml", "--kappa", "-1"], "at least 0"),
        (["train", "x.yaml", "--kappa", "0", "--seeds", "0"], "at least 1"),
        (["train", "x.yaml", "--kappa", "0", "--seed", str(1 << 62)], "below"),
        (["train", "x.yaml", "--kappa", "0", "--eta", "0"], "above 0"),
        (["train", "x.yaml", "--kappa", "0", "--T", "1.5"], "at least 1"),
        (["train", "x.yaml", "--kappa", "0", "--episodes", "1"], "at least 2"),
        (["train", "x.yaml", "--kappa", "0", "--output", "r.txt"], r"\.csv, \.json"),
        (["train", "x.yaml", "--kappa", "0", "--theta", "r.csv"], r"\.npz"),
        (["train", "x.yaml", "--kappa", "0", "--policy", "r.csv"], r"\.yaml, \.json"),
        (["train", "x.yaml"], "--kappa"),
        (["evaluate", "x.yaml", "--seconds", "-1"], "at least 0"),
        (["evaluate", "x.yaml", "--output", "r.csv"], r"\.json"),
        (["evaluate", "x.yaml", "--episodes", "1"], "at least 2"),
    ],
)
def test_arguments_out_of_range_are_refused_while_the_line_is_read(words, message, capsys):
    with pytest.raises(SystemExit):
        run(*words)
    assert re.search(message, capsys.readouterr().err)


def test_a_missing_file_and_an_unknown_agent_are_named(tmp_path, friends):
    with pytest.raises(ValueError, match=r"nothing\.yaml: cannot be read"):
        run("train", tmp_path / "nothing.yaml", "--kappa", "0")
    with pytest.raises(ValueError, match=r"there is no agent 'bop'; did you mean 'bob'\?"):
        run("evaluate", friends, "--agent", "bop")
    with pytest.raises(ValueError, match="agent 'bob' is asked for twice"):
        run("evaluate", friends, "--agent", "bob", "--agent", "bob")
    with pytest.raises(ValueError, match=r"nothing\.yaml: cannot be read"):
        run("evaluate", friends, "--policy", tmp_path / "nothing.yaml")
    with pytest.raises(ValueError, match=r"expected uniform or a file \.yaml, \.json or \.npz"):
        run("evaluate", friends, "--policy", "uniformly")


def test_a_rule_for_all_and_one_for_ann(tmp_path):
    network = load_dict(FRIENDS)
    document = CARE | {"agents": {"ann": {"sick": {"wait": 0.25, "treat": 0.75}}}}
    theta = theta_of(network, document)
    assert np.allclose(softmax(theta[0]), [[1.0, 0.0], [0.25, 0.75]])
    for theta_i in theta[1:]:
        assert np.array_equal(softmax(theta_i), np.eye(2))
    path = written(tmp_path, document, "care.yaml")
    assert all(np.array_equal(x, y) for x, y in zip(read_policy(network, str(path)), theta, strict=True))
    assert evaluate(network.mdp(), theta).J > evaluate(network.mdp(), read_policy(network, "uniform")).J


@pytest.mark.parametrize("as_json", [False, True])
def test_a_policy_reads_back_whatever_the_names_are(tmp_path, as_json):
    document = {
        "graph": {"nodes": ["no", "1: {x}", 'a "b"', "é$", "null"], "edges": [["no", "null"], ["é$", 'a "b"']]},
        "gamma": 0.5,
        "states": 3,
        "actions": ["yes", "on"],
        "kernel": {"weights": {"0": "1", "1": "1 + a", "2": "1"}},
        "reward": "s",
    }
    network = load_dict(document)
    theta = gaussian_theta(network, np.random.default_rng(0), 3.0)
    path = tmp_path / ("p.json" if as_json else "p.yaml")
    path.write_text(policy_text(network, theta, "here: {1}", as_json=as_json))
    for mine, own in zip(read_policy(network, str(path)), theta, strict=True):
        assert np.allclose(softmax(mine), softmax(own), rtol=1e-14, atol=0)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "expected a mapping with the keys policy and agents"),
        ({"polcy": {}}, "polcy: unknown key; known are policy, agents and origin; did you mean 'policy'?"),
        ({"policy": {"healthy": "wait"}}, "agent 'ann' is not told what to do in state 'sick'"),
        (
            {"policy": {"healthy": "wait", "sik": "treat"}},
            "policy.sik: no agent has a state 'sik'; did you mean",
        ),
        (
            CARE | {"agents": {"an": {}}},
            "agents.an: there is no agent 'an' in the network, whose agents are ['ann', 'bob', 'cid', 'dot', 'eve']; "
            "did you mean 'ann'?",
        ),
        (
            CARE | {"agents": {"ann": {"ill": "wait"}}},
            "agents.ann.ill: agent 'ann' has no state 'ill', but healthy",
        ),
        (
            CARE | {"agents": {"ann": {"sick": "tread"}}},
            "agent 'ann' has no action 'tread', but wait, treat; did you mean",
        ),
        (
            CARE | {"agents": {"ann": {"sick": {"treat": 1.5}}}},
            "agents.ann.sick.treat: expected a probability in [0, 1]",
        ),
        (ann({"treat": "all"}), "expected a probability in [0, 1], got 'all'"),
        (ann({"treat": float("nan")}), "expected a probability in [0, 1]"),
        (ann({"treat": 0.5}), "the probabilities of agent 'ann' sum to 0.5, not to 1"),
        (ann([0.5, 0.5]), "expected an action or probabilities of actions"),
        (ann(None), "expected an action or probabilities of actions"),
        (CARE | {"agents": {"ann": "treat"}}, "agents.ann: expected a mapping, got 'treat'"),
        ({"policy": ["wait"]}, "policy: expected a mapping"),
    ],
)
def test_a_policy_that_does_not_fit_is_refused_with_what_would(tmp_path, document, message):
    path = tmp_path / "p.yaml"
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(ValueError, match=r"p\.yaml: ") as refused:
        read_policy(load_dict(FRIENDS), str(path))
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_policy_file_that_is_no_yaml_is_named(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("policy: {a: ")
    with pytest.raises(ValueError, match=r"p\.yaml"):
        read_policy(load_dict(FRIENDS), str(path))


def test_files_of_train_are_held_to_the_network(tmp_path, friends):
    theta = tmp_path / "t.npz"
    run("train", friends, "--kappa", "0", *FEW, "--theta", theta)
    network = load(friends)
    with pytest.raises(ValueError, match=r"several runs fit: choose one with --kappa and --run; it has κ = 0 seed 0, "):
        read_policy(network, str(theta))
    with pytest.raises(ValueError, match="no run fits"):
        read_policy(network, str(theta), kappa=3)
    for source in ("uniform", str(tmp_path / "p.yaml")):
        with pytest.raises(ValueError, match=f"{source}: this is one policy; --kappa and --run choose a run of a file"):
            read_policy(network, source, seed=0)
    other = load_dict(FRIENDS | {"states": ["healthy", "sick"], "actions": ["treat", "wait"]})
    with pytest.raises(ValueError, match="its actions are not those of the network"):
        read_policy(other, str(theta), 0, 0)
    with pytest.raises(ValueError, match="its agents are not those of the network"):
        read_policy(load_dict(RING), str(theta), 0, 0)
    arrays = read_arrays(theta)
    np.savez(tmp_path / "broken.npz", **arrays | {"theta": arrays["theta"][:, :-1]})
    with pytest.raises(ValueError, match="its array theta has shape"):
        read_policy(network, str(tmp_path / "broken.npz"), 0, 0)
    wrong = [("kappa", np.array(0)), ("seed", arrays["seed"][:-1]), ("kappa", arrays["kappa"] + 0.5)]
    wrong += [("theta", np.array(0.0)), ("theta", arrays["theta"][0]), ("theta", arrays["theta"] + 0j)]
    for key, value in wrong:
        np.savez(tmp_path / "broken.npz", **arrays | {key: value})
        for read in (read_policy, read_policies):
            with pytest.raises(ValueError, match=rf"^\S+broken.npz: its array {key} has shape .* expected "):
                read(network, str(tmp_path / "broken.npz"))
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(ValueError, match="it has no array 'theta'; expected a file written by sacrepro train"):
        read_policy(network, str(tmp_path / "other.npz"))


def test_a_file_that_is_not_there_is_one_error_whoever_opens_it(tmp_path):
    """FileNotFoundError names it; where the file is an input that somebody wrote, it is the ValueError of inputs."""
    network, frames = load_dict(FRIENDS), pytest.importorskip("sacrepro.adapters.frames")
    for suffix, inputs, others in (
        (".yaml", (load, partial(read_policy, network), partial(read_policies, network)), ()),
        (".py", (load,), ()),
        (".npz", (partial(read_policy, network), partial(read_policies, network)), (SACTrace.load,)),
        (".csv", (), (frames.to_frame,)),
    ):
        absent = str(tmp_path / f"absent{suffix}")
        for opened in (*inputs, *others):
            with pytest.raises(FileNotFoundError, match=re.escape(absent)) as refusal:
                opened(absent)
            assert refusal.value.filename == absent
            assert isinstance(refusal.value, ValueError) == (opened in inputs)
