"""A run is saved, loaded, resumed, watched and interrupted, and no digit of it depends on any of this."""

import doctest
import json
import math
import subprocess
import sys

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sacrepro.learn.problem as problem
from sacrepro import Policy, SACTrace, control, reinforce, resume, sac, sac_seeds
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn import algorithm1
from sacrepro.learn.cells import hoods
from sacrepro.learn.critic import schedule, scratch
from sacrepro.learn.transcription import sac_transcribed
from sacrepro.model import memory
from sacrepro.model.mdp import as_coupled
from sacrepro.model.policy import gaussian_theta, uniform_theta
from sacrepro.simulate import as_simulator

MDP = random_mdp(nx.path_graph(3), seed=0, gamma=0.8, state_sizes=(2, 3, 2), action_sizes=(2, 1, 3))
THETA = gaussian_theta(MDP, np.random.default_rng(0))
STEPS = {"kappa": 1, "T": 20, "h": 2.0, "t0": 4.0, "eta": 0.5, "seed": 3}
EXTENSIONS = [{}, {"epsilon": 0.2}, {"lambda_": 0.5}, {"baseline": True}, {"lambda_": 1.0, "epsilon": 0.1}]


def same(one, other):
    """Every digit of two traces."""
    return (
        all(np.array_equal(a, b) for a, b in zip(one.theta, other.theta, strict=True))
        and all(np.array_equal(a, b) for a, b in zip(one.thetas, other.thetas, strict=True))
        and all(np.array_equal(one[k], other[k], equal_nan=True) for k in (2, 3, 4))
        and one.settings == other.settings
        and one.seed == other.seed
    )


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("model", [MDP, as_coupled(MDP)], ids=["compiled", "stepped"])
def test_a_resumed_run_is_the_uninterrupted_one(model, extension):
    whole = sac(model, THETA, M=12, record_every=2, **STEPS, **extension)
    half = sac(model, THETA, M=4, record_every=2, **STEPS, **extension)
    assert same(resume(model, half, M=12), whole)
    assert same(resume(model, resume(model, half, M=8), M=12), whole)
    other = sac(model, half.theta, M=8, record_every=2, **STEPS, **extension)
    assert not np.array_equal(other.theta[0], whole.theta[0])  # m begins at 0: another run


def test_records_of_a_resumed_run():
    """The last record of the first part stays, and beyond it the records are those of the whole."""
    half = sac(MDP, THETA, M=5, record_every=3, **STEPS)
    found, whole = resume(MDP, half, M=11), sac(MDP, THETA, M=11, record_every=3, **STEPS)
    assert found.m.tolist() == [0, 3, 5, 6, 9, 11]
    kept = [k for k, m in enumerate(found.m) if m in whole.m]
    assert all(np.array_equal(a[kept], b) for a, b in zip(found.thetas, whole.thetas, strict=True))
    assert np.array_equal(found.J_estimate, whole.J_estimate)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 12), st.integers(0, 2**64 - 1))
def test_saved_and_loaded(tmp_path_factory, M, record_every, T, seed):
    path = tmp_path_factory.mktemp("trace") / "trace.npz"
    trace = sac(MDP, THETA, M=M, record_every=record_every, **STEPS | {"T": T, "seed": seed, "kappa": np.int64(1)})
    trace.save(path)
    assert same(SACTrace.load(path), trace)
    longer = resume(MDP, SACTrace.load(path), M=M + 2)
    assert np.array_equal(longer.theta[0], sac(MDP, THETA, M=M + 2, **STEPS | {"T": T, "seed": seed}).theta[0])


def test_traces_of_other_learners_are_saved_and_not_resumed(tmp_path):
    trace = reinforce(MDP, THETA, kappa=1, M=3, T=5, eta=1.0, seed=0)
    trace.save(tmp_path / "trace.npz")
    found = SACTrace.load(tmp_path / "trace.npz")
    assert same(found, trace)
    with pytest.raises(ValueError, match="only runs of sac are resumed"):
        resume(MDP, found, M=9)


def written(path, **changed):
    """A file of `save` with some arrays replaced, or left out where None."""
    sac(MDP, THETA, M=4, **STEPS).save(path)
    arrays = dict(np.load(path)) | changed
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def about(**changed):
    told = {"format": problem.FORMAT, "settings": None, "seed": None}
    return np.array(json.dumps(told | changed))


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"about": None}, "it has no array 'about'"),
        ({"thetas": None}, "it has no array 'thetas'"),
        ({"about": np.array("{")}, "wrote: Expecting"),
        ({"about": np.array("[]")}, "its format is not"),
        ({"about": about(format="other")}, "its format is not 'sacrepro trace 1'"),
        ({"about": about(settings={"kappa": -1})}, "kappa must be at least 0"),
        ({"about": about(settings={"kappa": 1, "color": 2})}, "color"),
        ({"about": about(seed=-4)}, "seed must be at least 0"),
        ({"m": np.array([0, 2, 2])}, "m must be 0, then increase"),
        ({"m": np.array([0.0, 4.0])}, "m must be 0, then increase"),
        ({"sizes": np.array([[2, 2], [3, 1], [2, 0]])}, "S_i, A_i"),
        ({"sizes": np.array([[2, 2], [3, 1], [2, 2]])}, r"thetas has shape \(5, 13\), expected \(5, 11\)"),
        ({"J_estimate": np.zeros(3)}, r"J_estimate has shape \(3,\), expected \(4,\)"),
        ({"thetas": np.zeros((5, 13), dtype=np.float32)}, "thetas has shape .* of float64"),
        ({"thetas": np.diag([0.0, math.nan, 0, 0, 0]) @ np.ones((5, 13))}, r"thetas is not finite at \[1, 0\]"),
        ({"J_estimate": np.array([0.0, 0, math.inf, 0])}, r"J_estimate is not finite at \[2\]"),
        ({"about": about(settings={"kappa": 1, "M": 3})}, "settings.M = 3, but m ends with 4"),
    ],
)
def test_files_that_are_no_trace(tmp_path, changed, match):
    path = written(tmp_path / "trace.npz", **changed)
    with pytest.raises(ValueError, match=match) as caught:
        SACTrace.load(path)
    assert str(caught.value).startswith(f"{path} is not a trace that SACTrace.save wrote: ")


@pytest.mark.parametrize("extension", [*EXTENSIONS, {"warm_start": True}])
@pytest.mark.parametrize("model", [MDP, as_coupled(MDP)], ids=["compiled", "stepped"])
def test_a_policy_with_zeros_starts_a_run_and_they_stay(tmp_path, model, extension):
    """Seen: refused as a Policy, accepted as the same policy's logits; and a saved trace of it was "not finite"."""
    start = Policy([np.array([[0.0, 1.0], [0.5, 0.5]]), np.ones((3, 1)), np.array([[0.2, 0.0, 0.8], [1.0, 0.0, 0.0]])])
    trace = sac(model, start, M=4, **STEPS, **extension)
    assert same(trace, sac(model, start.theta, M=4, **STEPS, **extension))
    for moved, theta_i in zip(trace.theta, start.theta, strict=True):
        assert np.array_equal(np.isneginf(moved), np.isneginf(theta_i))
        assert np.isfinite(moved[np.isfinite(theta_i)]).all()
    assert not np.array_equal(trace.theta[0][1], start.theta[0][1])
    trace.save(tmp_path / "trace.npz")
    assert same(SACTrace.load(tmp_path / "trace.npz"), trace)
    if not extension.get("warm_start"):
        assert same(resume(model, trace, M=6), sac(model, start, M=6, **STEPS, **extension))
    if not extension:
        plain = sac_transcribed(model, start.theta, M=4, **STEPS)
        for moved, theta_i in zip(trace.theta, plain[-1].theta_next, strict=True):
            assert moved == pytest.approx(theta_i)


def test_greedy_policies_are_saved(tmp_path):
    """Their logits are -inf where an action is never taken. Seen: "thetas is not finite"."""
    trace = control(MDP, kappa=1, M=4, T=20, h=2.0, t0=4.0, seed=3, epsilon=0.0)
    assert np.isneginf(trace.theta[0]).any()
    trace.save(tmp_path / "trace.npz")
    assert same(SACTrace.load(tmp_path / "trace.npz"), trace)


HUGE = [
    ({"T": 10**13}, "an episode of T = 10000000000000 steps needs .* a smaller T fits"),
    ({"T": 10**30}, r"an episode of T = 10\^30 steps needs"),
    ({"M": 10**13}, "a trace of M = 10000000000000 with 101 records of θ needs .* a smaller M, a larger record_every"),
    ({"M": 10**12, "record_every": 1}, "a trace of M = 1000000000000 with 1000000000001 records of θ needs"),
    ({"M": np.int64(2**62)}, r"a trace of M = 10\^18 with 101 records of θ needs"),
]


@pytest.mark.parametrize(("changed", "message"), HUGE)
@pytest.mark.parametrize("model", [MDP, as_coupled(MDP)], ids=["compiled", "stepped"])
def test_runs_that_cannot_fit_are_refused_before_they_start(model, changed, message):
    """Seen: "Unable to allocate 72.8 TiB for an array"."""
    asked = {"M": 4} | STEPS | changed
    with pytest.raises(MemoryError, match=message):
        sac(model, THETA, **asked)
    with pytest.raises(MemoryError, match=message):
        reinforce(model, THETA, **{k: v for k, v in asked.items() if k not in ("h", "t0")})
    with pytest.raises(MemoryError, match=message):
        control(model, epsilon=0.1, **{k: v for k, v in asked.items() if k != "eta"})


def test_seeds_that_cannot_fit_are_refused_before_they_are_read():
    steps = {k: v for k, v in STEPS.items() if k != "seed"}
    for count, told in ((10**12, "1000000000000"), (10**25, r"10\^18")):
        with pytest.raises(MemoryError, match=f"records of θ for each of {told} seeds needs .* fewer seeds fit"):
            sac_seeds(MDP, THETA, M=4, **steps, seeds=range(count))


def test_the_bytes_that_a_critic_demands_are_those_that_it_takes():
    for T in (10**4, 10**5):
        work = scratch(hoods(MDP.graph, 0, MDP.state_sizes, MDP.action_sizes), T)
        parts = (*schedule(1.0, 2.0, 0.5, T), work.ids)
        written = sum(part.nbytes for part in parts if isinstance(part, np.ndarray))
        assert written / (T + 1) == pytest.approx(problem.CRITIC_BYTES, rel=1e-3)


def test_an_episode_of_ten_million_steps_fits_a_job_of_the_study(monkeypatch):
    """Seen: refused for what is reserved and never written, 1.68 GB where the run takes a fifth of that."""
    monkeypatch.setattr(memory, "memory_bytes", lambda: 500_000_000)
    pair = random_mdp(nx.path_graph(2), seed=0, action_sizes=1)
    problem.Problem(as_simulator(pair), uniform_theta(pair), problem.Settings(kappa=0, T=10**7, h=1.0, t0=2.0), [0])


def test_damaged_files(tmp_path):
    """Whatever byte is changed or lost: the trace, or one ValueError that names the file."""
    path = tmp_path / "trace.npz"
    trace = sac(MDP, THETA, M=4, **STEPS)
    trace.save(path)
    content, rng = path.read_bytes(), np.random.default_rng(0)
    damaged = [content[:k] for k in rng.integers(0, len(content), 40)]
    for k in rng.integers(0, len(content), 300):
        damaged.append(content[:k] + bytes([content[k] ^ int(rng.integers(1, 256))]) + content[k + 1 :])
    refused = unharmed = 0
    for bad in [b"", b"a,b\n1,2\n", *damaged]:
        path.write_bytes(bad)
        try:
            assert same(SACTrace.load(path), trace)
            unharmed += 1
        except ValueError as error:
            told = str(error)
            refused += told.startswith(f"{path} is not a ") and "\n" not in told
    assert refused == len(damaged) + 2 - unharmed
    with pytest.raises(FileNotFoundError):
        SACTrace.load(tmp_path / "none.npz")


@pytest.mark.parametrize("model", [MDP, as_coupled(MDP)], ids=["compiled", "stepped"])
def test_progress_is_told_and_changes_nothing(model):
    told = []
    trace = sac(model, THETA, M=6, record_every=2, progress=lambda *line: told.append(line), **STEPS)
    assert same(trace, sac(model, THETA, M=6, record_every=2, **STEPS))
    assert {2, 4, 6} <= {m for m, _, _ in told}
    assert all(M == 6 and trace.J_estimate[m - 1] == J for m, M, J in told)
    told.clear()
    resume(model, trace, M=8, progress=lambda *line: told.append(line))
    assert {m for m, _, _ in told} <= {7, 8}


def test_a_bar_of_tqdm(capsys):
    pytest.importorskip("tqdm", reason="tqdm is an optional extra, pip install -e '.[tqdm]'")
    sac(MDP, THETA, M=6, progress=True, **STEPS)
    assert "6/6" in capsys.readouterr().err


def test_without_tqdm_a_bar_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"pip install -e '\.\[tqdm\]'"):
        sac(MDP, THETA, M=6, progress=True, **STEPS)


def interrupting(at):
    def told(m, M, J):
        if m >= at:
            raise KeyboardInterrupt

    return told


@pytest.mark.parametrize("model", [MDP, as_coupled(MDP)], ids=["compiled", "stepped"])
@pytest.mark.parametrize("record_every", [1, 2, 5])
def test_an_interrupt_returns_what_was_computed(model, record_every):
    whole = sac(model, THETA, M=10, record_every=record_every, **STEPS)
    with pytest.warns(RuntimeWarning, match="interrupted after . of M = 10 outer iterations; sacrepro.resume"):
        part = sac(model, THETA, M=10, record_every=record_every, progress=interrupting(4), **STEPS)
    done = int(part.m[-1])
    assert 4 <= done < 10
    assert np.array_equal(part.J_estimate, whole.J_estimate[:done])
    assert len(part.first_visit_share) == done
    every = sac(model, THETA, M=10, record_every=1, **STEPS)
    assert all(np.array_equal(a, b[part.m]) for a, b in zip(part.thetas, every.thetas, strict=True))
    assert all(np.array_equal(a, b[done]) for a, b in zip(part.theta, every.thetas, strict=True))
    assert part.m[:-1].tolist() == [m for m in whole.m if m < done]
    rest = resume(model, part, M=10)
    assert all(np.array_equal(a, b) for a, b in zip(rest.theta, whole.theta, strict=True))
    assert np.array_equal(rest.J_estimate, whole.J_estimate)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("model", [MDP, as_coupled(MDP)], ids=["compiled", "stepped"])
def test_an_interrupt_after_the_last_outer_iteration_lost_nothing(model):
    found = sac(model, THETA, M=5, progress=interrupting(5), **STEPS)
    assert same(found, sac(model, THETA, M=5, **STEPS))


def test_an_interrupt_before_anything_is_finished(monkeypatch):
    def outer_iterations(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(algorithm1, "outer_iterations", outer_iterations)
    with pytest.warns(RuntimeWarning, match="interrupted after 0 of"):
        part = sac(MDP, THETA, M=3, **STEPS)
    assert part.m.tolist() == [0]
    assert len(part.J_estimate) == 0
    assert all(np.array_equal(a, b) for a, b in zip(part.theta, THETA, strict=True))
    with pytest.raises(KeyboardInterrupt):  # nobody is there to look at half a study
        algorithm1.sac_seeds(MDP, THETA, M=3, seeds=(0, 1), **{k: v for k, v in STEPS.items() if k != "seed"})


PRESSED = """
import os, signal, threading, warnings
from sacrepro import build, sac, uniform_theta
signal.signal(signal.SIGINT, signal.default_int_handler)
mdp, begun = build({"model": "relay", "n": 3, "gamma": 0.5}), threading.Event()

def press():
    begun.wait()
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=press, daemon=True).start()
told = lambda m, M, J: begun.set()
run = dict(kappa=0, M=10**7, T=2000, h=1.0, t0=2.0, eta=0.1, seed=0, record_every=1000)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    part = sac(mdp, uniform_theta(mdp), progress=told, **run)
print(part.m[-1], len(part.J_estimate), "interrupted" in str(caught[-1].message))
"""


def test_ctrl_c_itself():
    """The signal, while the compiled run is under way."""
    found = subprocess.run([sys.executable, "-c", PRESSED], capture_output=True, text=True, check=True).stdout.split()
    assert 0 < int(found[0]) == int(found[1]) < 10**7
    assert found[2] == "True"


@pytest.mark.parametrize(
    ("error", "match", "call"),
    [
        (
            TypeError,
            "progress must be True, False or a function",
            lambda: sac(MDP, THETA, M=2, progress="bar", **STEPS),
        ),
        (TypeError, r"SACTrace.load\(path\) reads one", lambda: resume(MDP, "trace.npz", M=4)),
        (ValueError, "M = 3, but the trace has 3", lambda: resume(MDP, sac(MDP, THETA, M=3, **STEPS), M=3)),
        (TypeError, "M must be an integer", lambda: resume(MDP, sac(MDP, THETA, M=3, **STEPS), M=5.0)),
        (
            ValueError,
            "its Q̂ is not in the trace",
            lambda: resume(MDP, sac(MDP, THETA, M=3, warm_start=True, **STEPS), M=5),
        ),
        (
            ValueError,
            r"theta0\[1\] of agent 1 has shape",
            lambda: resume(random_mdp(nx.path_graph(3), seed=0), sac(MDP, THETA, M=3, **STEPS), M=5),
        ),
    ],
)
def test_refusals(error, match, call):
    with pytest.raises(error, match=match):
        call()


def test_the_example_runs():
    assert doctest.testmod(problem).failed == 0
