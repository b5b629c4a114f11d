"""Returns: J with its certificate or interval, arguments with a reason, and the κ that is best within noise."""

import contextlib
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network_files import load_dict
from numba.core import event

from sacrepro import evaluate, sac
from sacrepro.adviser import pilot as pilot_room
from sacrepro.adviser import settings as settings_room
from sacrepro.adviser.advice import PILOT, advise
from sacrepro.adviser.clock import Clock, progress
from sacrepro.adviser.evaluation import CUT, Objective, evaluation, evaluation_words, half_width, horizon, solvable
from sacrepro.adviser.pilot import (
    KappaReturn,
    Pilot,
    RunRow,
    best,
    chosen_run,
    kappa_returns,
    pilot,
    pilot_words,
    settings_words,
    trained,
    training_words,
    which_kappa,
)
from sacrepro.adviser.prose import words
from sacrepro.adviser.settings import FRESH, ITERATIONS, PROBING, WANDER, proposal, sizes_for
from sacrepro.model.policy import uniform_theta

FRIENDS = {
    "graph": {"edges": [["ann", "bob"], ["bob", "cid"], ["cid", "dot"], ["dot", "ann"], ["cid", "eve"]]},
    "gamma": 0.8,
    "states": ["healthy", "sick"],
    "actions": ["wait", "treat"],
    "kernel": {"probabilities": {"sick": "0.02 + 0.15 * count(sick) if s == healthy else 0.7 - 0.3 * (a == treat)"}},
    "reward": "(s == healthy) + 0.25 * (a == wait)",
}
RING = FRIENDS | {"graph": {"family": "ring", "n": 20}}
FEW = {"M": 20, "T": 30, "h": 3.0, "t0": 6.0, "eta": 0.5}


def row(kappa, J, spread=0.1, seeds=4):
    return KappaReturn(kappa, seeds, J, spread, J - spread, J + spread)


def short(network, kappas=(0, 1), seeds=(0, 1), **objective):
    simulator = network.simulator()
    settings = proposal(network, simulator, kappas, seeds=len(seeds), **FEW)
    return trained(network, simulator, Objective(network, simulator, **objective), settings, kappas, seeds)


def test_returns_are_exact_where_the_network_is_solved_and_inside_their_interval_elsewhere():
    network = load_dict(FRIENDS)
    theta, simulator = uniform_theta(network), network.simulator()
    exact = Objective(network, simulator)(theta)
    J = evaluate(network.mdp(), theta).J
    assert exact.method == "exact"
    assert exact.low <= J <= exact.high < exact.low + 1e-8
    inside = [
        found.low <= J <= found.high
        for seed in range(40)
        for found in [Objective(network, simulator, seed=seed, bits=0.0)(theta)]
        if found.method == "simulation"
    ]
    assert len(inside) == 40
    assert sum(inside) >= 33  # 95 % of 40 are 38; fewer than 33 has probability 2e-3 at the seeds that are fixed here


def test_a_solvable_network_has_few_states_and_small_kernels():
    assert solvable(load_dict(FRIENDS))
    assert not solvable(load_dict(RING))
    assert not solvable(load_dict(FRIENDS), bits=4.0)


@given(st.floats(0.0, 0.999))
def test_the_horizon_cuts_what_it_says(gamma):
    T = horizon(gamma)
    assert gamma ** (T + 1) <= CUT * (1 + 1e-9)
    assert T == 1 or gamma**T > CUT * (1 - 1e-9)


def test_students_interval_by_hand():
    assert half_width(np.array([1.0, 3.0])) == pytest.approx(12.7062, rel=1e-4)
    assert half_width(np.array([1.0])) == math.inf


def test_proposed_arguments_follow_their_rules_and_have_reasons():
    network = load_dict(FRIENDS)
    simulator = network.simulator()
    found = proposal(network, simulator, [0, 1], seeds=8)
    assert (found.T, found.h, found.t0, found.M) == (640, 64.0, 128.0, ITERATIONS[0])
    assert [reason.split(" = ")[0] for reason in found.reasons] == ["T", "h", "t0", "M", "η", "η"]
    assert "10 visits an entry of the median table at κ = 1 would take 640 steps" in found.reasons[0]
    # A noise of this scale moves a logit by so much: η² σ² Σ 1/(m+1).
    noise = float(found.reasons[-2].split("standard deviation ")[1].split(" ")[0])
    moved = found.eta * noise * math.sqrt(sum(1 / (m + 1) for m in range(found.M)))
    assert moved == pytest.approx(WANDER, rel=0.05)
    given_all = proposal(network, simulator, [0], seeds=1, **FEW)
    # L' = r̄/(2(1-γ)²) with r̄ = 1.25 and γ = .8: no step above .064 is covered, given or proposed.
    alone = proposal(network, simulator, [1], seeds=1, **{name: FEW[name] for name in ("M", "T", "t0", "eta")})
    assert "of the median table at κ = 1 are visited alike" in alone.reasons[0]  # where no reason for T names it
    beyond = "is above 1/L' = 0.064: the theory covers no such step, Theorem 5 only η ≤ 1/(4L') = 0.016"
    assert given_all.reasons == (f"η = 0.5 {beyond}",)
    assert found.reasons[-1] == f"η = {found.eta:g} {beyond}"
    assert proposal(network, simulator, [0], seeds=1, **FEW | {"eta": 0.063}).reasons == ()
    assert {name: getattr(given_all, name) for name in FEW} == FEW
    assert proposal(network, simulator, [0], seeds=1, t0=5.0, M=9, T=50, eta=1.0).h == 2.5
    # κ = 0 has 4 entries: h is what Theorem 5 asks for when they are visited alike, as an episode can afford it.
    assert proposal(network, simulator, [0], seeds=1, T=1000, M=9, eta=1.0).h == pytest.approx(4 / (1 - math.sqrt(0.8)))
    assert "Algorithm 1 with M = 2,000, T = 640" in settings_words(found)
    assert "M = 2,000: noise averages out over iterations, so as many of 2,000, 1,000, 500, 200, 100 as" in " ".join(
        settings_words(found).split()
    )


def test_rewards_of_zero_leave_a_step():
    network = load_dict(FRIENDS | {"reward": "0"})
    found = proposal(network, network.simulator(), [0], seeds=1, M=5, T=20)
    assert found.eta == 1.0
    assert "ĝ does not vary" in found.reasons[-1]  # and L' = 0 covers any step


@pytest.mark.parametrize(
    ("kappas", "given_arguments", "message"),
    [
        ([], {}, "kappa: expected one κ or more"),
        ([0, 0], {}, "kappa: 0 is asked for twice"),
        ([0, 4], {}, "kappa = 4 is beyond the diameter of the graph, 3: every"),
        ([-1], {}, "kappa must be at least 0"),
        ([0], {"h": 5.0, "t0": 1.0}, "h must be at most t0"),
        ([0], {"T": 0}, "T must be at least 1"),
        ([0], {"M": 0}, "M must be at least 1"),
        ([0], {"eta": 0.0}, "eta must be finite and above 0"),
        ([0], {"h": -1.0}, "h must be finite and above 0"),
    ],
)
def test_what_makes_no_sense_is_refused(kappas, given_arguments, message):
    network = load_dict(FRIENDS)
    with pytest.raises(ValueError, match=message):
        proposal(network, network.simulator(), kappas, seeds=2, **given_arguments)


def test_neighborhoods_too_large_to_list_are_refused(monkeypatch):
    from sacrepro.adviser import settings as cost

    monkeypatch.setattr(cost, "MOST_MEMBERS", 10)
    with pytest.raises(ValueError, match=r"κ = 1 are too many to list; expected at most 0"):
        sizes_for(load_dict(RING), [2])


def test_training_is_sac_seed_by_seed():
    network = load_dict(FRIENDS)
    found = short(network)
    assert [(run.kappa, run.seed) for run in found.runs] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    for run, theta in zip(found.runs, found.thetas, strict=True):
        alone = sac(network.mdp(), uniform_theta(network), kappa=run.kappa, seed=run.seed, **FEW)
        assert all(np.array_equal(x, y) for x, y in zip(alone.theta, theta, strict=True))
        assert pytest.approx(evaluate(network.mdp(), theta).J, abs=1e-9) == run.J
    assert found == short(network)._replace(thetas=found.thetas)
    assert found.runs != short(network, seeds=(2, 3)).runs
    text = training_words(found)
    assert f"J at the start, the uniform policy: {found.start.J:.4g}. J is exact." in text
    assert max(run.J for run in found.runs if run.kappa == found.best) == found.runs[chosen_run(found)].J


def test_renaming_agents_changes_no_number():
    renamed = FRIENDS | {"graph": {"edges": [["v", "w"], ["w", "x"], ["x", "y"], ["y", "v"], ["x", "z"]]}}
    one, other = (short(load_dict(document)) for document in (FRIENDS, renamed))
    assert one.rows == other.rows
    assert one.proposal == other.proposal
    assert training_words(one) == training_words(other)


def test_returns_are_judged_by_episodes_that_no_run_learns_from(monkeypatch):
    from sacrepro.adviser import evaluation

    seen = []
    real = evaluation.samples
    monkeypatch.setattr(evaluation, "samples", lambda *a, seeds, **k: seen.append(seeds) or real(*a, seeds=seeds, **k))
    short(load_dict(RING), episodes=3, seed=7)
    assert len(seen) == 5
    assert len({seed for seeds in seen for seed in seeds}) == 15
    assert min(min(seeds) for seeds in seen) >= FRESH > PROBING
    with pytest.raises(ValueError, match=r"seed must lie below 2\^62"):
        short(load_dict(FRIENDS), seeds=(PROBING,))


def test_one_row_a_kappa_by_hand():
    runs = [RunRow(2, seed, J, J, J, "exact", 0.0) for seed, J in enumerate((1.0, 3.0))]
    (found,) = kappa_returns(runs)
    assert found[:4] == (2, 2, 2.0, pytest.approx(math.sqrt(2.0)))
    assert found.high - found.J == pytest.approx(12.7062, rel=1e-4)
    (alone,) = kappa_returns(runs[:1])
    assert math.isnan(alone.spread)
    (bounded,) = kappa_returns(runs, 5.0)
    assert (bounded.low, bounded.high) == (0.0, 5.0), "no mean return leaves [0, r̄/(1-γ)]"


def test_no_simulated_return_leaves_the_range_of_returns():
    """Seen: on rewards that are always 1 the upper end was above r̄/(1-γ)."""
    network = load_dict(RING | {"graph": {"family": "ring", "n": 40}, "reward": "1"})
    J = Objective(network, network.simulator(), seed=0, episodes=4)([np.zeros(r.shape) for r in network.r])
    assert J.method == "simulation"
    assert J.low < J.high <= 1.0 / (1.0 - network.gamma)


@pytest.mark.parametrize(
    ("rows", "chosen"),
    [
        ([row(0, 1.0), row(1, 2.0)], 1),
        ([row(0, 1.95), row(1, 2.0)], 0),
        ([row(1, 1.95), row(0, 2.0)], 0),
        # The noise of the difference is .071, and Student's quantile at 6 degrees of freedom 2.447: .173.
        ([row(0, 1.83), row(1, 2.0)], 0),
        ([row(0, 1.82), row(1, 2.0)], 1),
        ([row(0, 1.99, seeds=1), row(1, 2.0, seeds=1)], 1),
        ([row(0, 2.0 - 1e-12, spread=0.0), row(1, 2.0, spread=0.0)], 0),
        ([row(0, 0.0), row(1, 1.97), row(2, 2.0), row(3, 1.0)], 1),
    ],
)
def test_the_smallest_kappa_that_is_best_within_noise(rows, chosen):
    assert best(rows) == chosen


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            [row(0, 1.95), row(1, 2.0), row(2, 1.0)],
            "The largest is that of κ = 1; κ = 0 is below it by no more than the noise of their difference (Student's "
            "95 %), κ = 2 is by more. So κ = 0 is the smallest that is not shown to earn less.",
        ),
        (
            [row(0, 2.0), row(1, 1.95), row(2, 1.96)],
            "The largest is that of κ = 0; κ = 1, 2 are below it by no more than the noise",
        ),
        ([row(0, 1.0), row(1, 2.0)], "The largest is that of κ = 1; every other κ is below it by more than the noise"),
        ([row(0, 1.0, seeds=1), row(1, 2.0, seeds=1)], "κ = 1 has the largest return, of one seed each"),
    ],
)
def test_what_was_compared_is_told(rows, told):
    """Seen: "earns most within noise" of returns that nothing tells apart."""
    found = short(load_dict(FRIENDS), kappas=[row.kappa for row in rows])
    found = found._replace(rows=tuple(rows), best=best(rows), gains=True)
    assert told in " ".join(training_words(found).split())
    last = pilot_words(Pilot(found, ""), rows[-1].kappa, 0.3)
    apart = rows[-1].kappa != best(rows) and rows[-1].J < 1.9
    assert ("DIFFER" in " ".join(last)) == apart
    beyond = " ".join(" ".join(pilot_words(Pilot(found, ""), 7, 0.3)).split())
    assert "what these samples earn, and κ = 7 was not tried." in beyond


def test_a_pilot_finds_the_kappa_that_earns_and_keeps_to_its_time():
    """Five friends: nobody's neighbors tell what to do, so the smallest table learns best from few samples."""
    found = pilot(load_dict(FRIENDS), seconds=60.0)
    assert found.trained is not None
    assert found.trained.best == 0
    assert found.trained.gains
    assert [row.kappa for row in found.trained.rows] == [0, 1, 2, 3]
    told = " ".join(pilot_words(found, 3, 0.3))
    assert "THE TWO ANSWERS DIFFER" in told
    assert "asks for κ = 3, the return for κ = 0" in " ".join(told.split())
    assert told.endswith("Take κ = 0 to earn from so many samples, κ = 3 where the error is what counts.")
    assert "as there was time for" in told
    assert "DIFFER" not in " ".join(pilot_words(found, 0, 0.3))
    unclear = found._replace(trained=found.trained._replace(gains=False))
    assert "says nothing against the κ = 3" in " ".join(" ".join(pilot_words(unclear, 3, 0.3)).split())
    assert "No κ was shown" in " ".join(pilot_words(found, None, 0.3))


@pytest.mark.parametrize(("seconds", "note"), [(0.0, "no time was left"), (1e-9, "would take")])
def test_a_pilot_without_time_says_so(seconds, note):
    found = pilot(load_dict(FRIENDS), seconds=seconds)
    assert found.trained is None
    assert note in found.note
    assert "no pilot of SAC was run" in pilot_words(found, 1, 0.3)[0]


def test_a_pilot_that_turns_out_too_slow_is_left_out(monkeypatch):
    monkeypatch.setattr("sacrepro.adviser.pilot.FASTEST", math.inf)
    monkeypatch.setattr("sacrepro.adviser.pilot.ITERATIONS", (10**9,))
    found = pilot(load_dict(FRIENDS), seconds=60.0)
    assert found.trained is None
    assert found.note.startswith("1.0e9 outer iterations for each κ and seed would take")
    assert found.note.endswith("s with a reserve; more --seconds make one")


@pytest.fixture
def now(monkeypatch):
    """[seconds], which stand still by themselves."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("numba.core.event.timer", lambda: now[0])
    return now


@contextlib.contextmanager
def numba_compiles():
    """What it says of itself."""
    with event.trigger_event("numba:compiler_lock"), event.trigger_event("numba:compile"):
        yield


def test_a_machine_that_is_busy_for_a_moment_does_not_make_iterations_free(monkeypatch, now):
    """Where one iteration took longer than all of a trial, what one took alone counts."""
    durations = iter([5.0, 0.01, 0.01, 0.05])

    def sac_seeds(*arguments, **settings):
        duration = next(durations)
        with numba_compiles() if duration == 5.0 else contextlib.nullcontext():
            now[0] += duration

    monkeypatch.setattr("sacrepro.adviser.pilot.sac_seeds", sac_seeds)
    monkeypatch.setattr("sacrepro.adviser.pilot.FASTEST", math.inf)
    monkeypatch.setattr("sacrepro.adviser.pilot.ITERATIONS", (10**9,))
    found = pilot(load_dict(FRIENDS), seconds=60.0)
    assert found.trained is None
    assert "outer iterations for each κ and seed would take" in found.note
    # four κ of four seeds, .01 s an iteration, and a reserve of as much again
    assert found.note.endswith(" 320,000,000 s with a reserve; more --seconds make one")


def test_compiling_is_in_no_budget(monkeypatch, now, capsys):
    """Seen: "no pilot of SAC was run: no time was left for it", by the first call of an installation alone."""
    real, calls = pilot_room.sac_seeds, []

    def sac_seeds(*arguments, **settings):
        calls.append(settings["M"])
        if len(calls) == 1:
            with numba_compiles():
                now[0] += 30.0
        now[0] += 1e-6 * settings["M"]
        return real(*arguments, **settings)

    monkeypatch.setattr("sacrepro.adviser.pilot.sac_seeds", sac_seeds)
    clock = Clock(20.0)
    with progress():
        found = pilot(load_dict(FRIENDS), seconds=clock.left())
    assert max(ITERATIONS) == found.trained.proposal.M
    assert 19.9 < clock.left() < 20.0
    assert capsys.readouterr().err == "Compiling took 30 s, once: it is kept, no later call compiles this again.\n"
    with progress(), numba_compiles():
        now[0] += 0.5
    assert capsys.readouterr().err == ""
    now[0] += 5.0
    assert clock.left() < 15.0


@pytest.mark.parametrize("measured", [settings_room.MEASURED, 9 << 16])
def test_a_timed_iteration_is_of_kernels_that_were_compiled(monkeypatch, now, measured):
    """Seen: 15 s an iteration, of .4 s: kernels were compiled for T = 2, and timed with 32-bit numbers of cells.

    With fewer steps than T, of two lengths, of which one needs 16 bits.
    """
    compiled, spent = set(), [0.0]

    def run_compiled(opaque, problem):
        if (kind := problem.work.ids.dtype) not in compiled:
            compiled.add(kind)
            with numba_compiles():
                now[0] += 10.0
                spent[0] += 10.0
        spent[0] += 1e-6 * problem.settings.T
        return [SimpleNamespace(first_visit_share=np.array([0.5]))]

    monkeypatch.setattr(settings_room, "MEASURED", measured)
    monkeypatch.setattr(settings_room, "run_compiled", run_compiled)
    monkeypatch.setattr("time.process_time", lambda: spent[0])
    T, network = 1 << 18, load_dict(RING | {"graph": {"family": "ring", "n": 9}})
    rows = settings_room.costs(network, 5, T, Clock(20.0), network.simulator)
    assert [row.seconds for row in rows] == pytest.approx([1e-6 * T] * 5)
    assert compiled == {np.dtype(np.uint16), np.dtype(np.uint32)}


def test_advice_asks_the_return_as_well(monkeypatch):
    """In the time that is kept for it, and beside the recommendation, whose κ it is compared with."""
    network, given_seconds = load_dict(FRIENDS), []
    trial = short(network)

    def quick(network, *, seconds, **known):
        given_seconds.append(seconds)
        return Pilot(trial._replace(thetas=()), "")

    monkeypatch.setattr("sacrepro.adviser.advice.pilot", quick)
    advice = advise(network, 0.3, seconds=0.1)
    assert given_seconds[0] <= 0.1
    assert 0.0 < PILOT < 1.0
    assert advice.pilot.trained.rows == trial.rows
    text = words(network, advice)
    assert text.index("RECOMMENDATION") < text.index("RETURN: what short runs of SAC earn")
    assert f"κ = {advice.recommended}" in text[text.index("RETURN") :]
    monkeypatch.undo()
    assert "no pilot of SAC was run: no time was left for it" in words(network, advise(network, 0.3, seconds=0.0))


def test_a_pilot_of_what_cannot_be_sampled_says_why():
    found = pilot(load_dict(FRIENDS | {"reward": "1e300"}), seconds=5.0)
    assert found.trained is None
    assert "agent 'ann' has a reward of 1e+300" in found.note
    assert "--seconds" not in "".join(pilot_words(found, None, 1.0))  # which would help nothing
    assert (
        "no time was left for it; more --seconds make one."
        in pilot_words(Pilot(*pilot(None, seconds=0.0)), None, 1.0)[0]
    )


def test_an_evaluation_is_exact_on_a_small_network():
    network = load_dict(FRIENDS)
    theta = uniform_theta(network)
    found, V = evaluation(network, theta), evaluate(network.mdp(), theta).V
    assert [agent.name for agent in found.agents] == list(network.names)
    for agent, V_i in zip(found.agents, V, strict=True):
        assert agent.low <= V_i.min() <= V_i.max() <= agent.high <= V_i.max() + 1e-8
        assert agent.D_high[-1] <= 1e-8
    assert "J = 4.277" in evaluation_words(network, found, "uniform")
    assert "not computed" not in evaluation_words(network, found, "uniform")
    (only,) = evaluation(network, theta, [2]).agents
    assert only == found.agents[2]


@pytest.mark.parametrize(("n", "told"), [(8, " beyond κ = 5"), (14, ": the network has more than 2^26 pairs (s, a)")])
def test_an_evaluation_says_which_decay_it_leaves_out(n, told):
    network = load_dict(RING | {"graph": {"family": "path", "n": n}})
    found = evaluation(network, uniform_theta(network))
    assert f"D_i(κ) is not computed{told}\n" in evaluation_words(network, found, "uniform")


def test_an_evaluation_of_a_large_network_has_an_interval_and_light_cones():
    network = load_dict(RING | {"graph": {"family": "path", "n": 400}})
    found = evaluation(network, uniform_theta(network), episodes=8)
    assert found.J.method == "simulation"
    assert found.agents
    for agent in found.agents:
        assert 0.0 <= agent.low < agent.high <= network.r_bar / (1 - network.gamma)
        assert all(low <= high for low, high in zip(agent.D_low, agent.D_high, strict=True))
    assert "95 % confidence" in evaluation_words(network, found, "uniform")
    assert "D_i(κ) is not computed beyond κ = 2\n" in evaluation_words(network, found, "uniform")
    late = evaluation(network, uniform_theta(network), episodes=8, seconds=0.0)
    assert len(late.left_out) + len(late.agents) == 3
    assert "no light cone of" in evaluation_words(network, late, "uniform")


def test_a_kappa_that_earns_less_and_one_that_ends_below_the_start_are_named():
    rows = (row(0, 3.0), row(1, 2.0), row(2, 2.9))
    found = short(load_dict(FRIENDS))._replace(rows=rows, best=0, gains=True)
    told = which_kappa(found._replace(start=found.start._replace(low=2.5)))
    assert (
        "κ = 0; κ = 2 is below it by no more than the noise of their difference (Student's 95 %), κ = 1 is by" in told
    )
    assert "κ = 1 is below the start by more than noise" in told
    assert "below the start" not in which_kappa(found._replace(start=found.start._replace(low=1.0)))
