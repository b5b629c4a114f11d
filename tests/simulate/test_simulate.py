"""The sampler against plain code, against the kernels' frequencies, and users' simulators against their contract."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from sacrepro.instances import COUNTED
from sacrepro.instances.network.labelled import of_model
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn import sac_seeds
from sacrepro.model.checks import Array
from sacrepro.model.mdp import NetworkedMDP, as_coupled
from sacrepro.model.policy import Policy, check_theta, gaussian_theta, policies, uniform_theta
from sacrepro.simulate import Simulator, SteppedSimulator, as_simulator, rollout_by_steps, stepped
from sacrepro.simulate.random_bits import SCALE, START, STEP, run_key, step_keys, thresholds, word
from sacrepro.simulate.trajectory import Episode
from strategies import cases

#: Probability that a test of randomness would refuse a perfect generator, for one draw of its keys; they are fixed.
ERROR_RATE = 1e-6

u64 = st.integers(0, 2**64 - 1)


@given(cases(), st.integers(1, 40), u64, u64)
def test_rollout_is_the_step_by_step_sampler(
    case: tuple[NetworkedMDP, tuple[Array, ...]], T: int, seed: int, m: int
) -> None:
    mdp, theta = case
    zeta = policies(mdp, theta)
    fast, plain = Simulator(mdp).rollout(zeta, T, seed=seed, m=m), rollout_by_steps(mdp, zeta, T, seed=seed, m=m)
    for name in ("s", "a", "r"):
        assert np.array_equal(getattr(fast, name), getattr(plain, name)), name
    assert fast.r.shape == (mdp.n, T + 1)


def test_rollout_is_the_step_by_step_sampler_on_larger_graphs_and_tables() -> None:
    for graph, S, A in ((nx.cycle_graph(70), 2, 2), (nx.star_graph(6), 3, 2), (nx.path_graph(3), (4, 30, 4), 9)):
        mdp = random_mdp(graph, seed=2, state_sizes=S, action_sizes=A)
        zeta = policies(mdp, gaussian_theta(mdp, np.random.default_rng(0)))
        fast, plain = Simulator(mdp).rollout(zeta, 150, seed=1, m=2), rollout_by_steps(mdp, zeta, 150, seed=1, m=2)
        assert np.array_equal(fast.s, plain.s)
        assert np.array_equal(fast.a, plain.a)


@given(u64, u64, st.integers(0, 1), st.integers(0, 2**40), st.integers(0, 2**32))
def test_words_are_the_same_on_python_integers(seed: int, m: int, purpose: int, t: int, i: int) -> None:
    u = np.uint64
    keys = step_keys(u(run_key(u(seed), u(m), u(purpose))), u(t))
    assert int(word(u(keys[0]), u(keys[1]), u(i))) == stepped.word(seed, m, purpose, t, i)


def test_a_longer_episode_continues_a_shorter_one() -> None:
    mdp = random_mdp(nx.path_graph(4), seed=0)
    zeta = policies(mdp, uniform_theta(mdp))
    short, long = (Simulator(mdp).rollout(zeta, T, seed=1, m=0) for T in (70, 200))
    assert np.array_equal(short.s, long.s[:, :71])
    assert np.array_equal(short.a, long.a[:, :71])


def test_every_part_of_the_key_matters() -> None:
    mdp = random_mdp(nx.path_graph(4), seed=0)
    zeta = policies(mdp, uniform_theta(mdp))
    simulator = Simulator(mdp)
    first = simulator.rollout(zeta, 60, seed=1, m=0)
    assert np.array_equal(first.a, simulator.rollout(zeta, 60, seed=1, m=0).a)
    for seed, m in ((2, 0), (1, 1), (0, 1)):
        assert not np.array_equal(first.a, simulator.rollout(zeta, 60, seed=seed, m=m).a)
    words = {stepped.word(*key) for key in np.ndindex(3, 3, 2, 5, 5)}
    assert len(words) == 3 * 3 * 2 * 5 * 5


def _grid(seeds: int, ms: int, ts: int, agents: int) -> Array:
    """Words over a block of consecutive keys, shape (seeds, ms, ts, agents), purpose STEP."""
    u = np.uint64
    out = np.empty((seeds, ms, ts, agents), dtype=np.uint64)
    for seed, m, t in np.ndindex(seeds, ms, ts):
        k0, k1 = step_keys(u(run_key(u(seed), u(m), u(STEP))), u(t))
        out[seed, m, t] = [word(u(k0), u(k1), u(i)) for i in range(agents)]
    return out


def _chi_square(counts: Array) -> float:
    return float(scipy.stats.chisquare(counts.ravel()).pvalue)


@pytest.fixture(scope="module")
def words() -> Array:
    return _grid(4, 8, 64, 128)


@pytest.mark.parametrize("shift", [0, 16, 23, 33, 48, 56])
def test_bytes_of_words_are_uniform(words: Array, shift: int) -> None:
    counts = np.bincount(((words >> np.uint64(shift)) & np.uint64(255)).astype(int).ravel(), minlength=256)
    assert _chi_square(counts) > ERROR_RATE


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
@pytest.mark.parametrize(("one", "other"), [(33, 33), (0, 0), (33, 0), (0, 33), (27, 60)])
def test_consecutive_words_are_independent(words: Array, axis: int, one: int, other: int) -> None:
    """4 bits of a word against 4 bits of its neighbor along seed, m, t or i: 256 equally likely pairs."""
    nibble, count = np.uint64(15), words.shape[axis]
    low = (np.take(words, range(count - 1), axis) >> np.uint64(one)) & nibble
    high = (np.take(words, range(1, count), axis) >> np.uint64(other)) & nibble
    assert _chi_square(np.bincount((16 * low + high).astype(int).ravel(), minlength=256)) > ERROR_RATE


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
def test_the_next_key_flips_every_bit_half_of_the_time(words: Array, axis: int) -> None:
    difference = np.take(words, range(words.shape[axis] - 1), axis) ^ np.take(words, range(1, words.shape[axis]), axis)
    bits = np.unpackbits(difference.ravel().view(np.uint8)).reshape(-1, 64)
    share = bits.sum(axis=0)
    for flips in share:
        assert scipy.stats.binomtest(int(flips), len(bits)).pvalue > ERROR_RATE / 64


def test_action_and_state_bits_of_one_word_are_independent(words: Array) -> None:
    action, state = (words >> np.uint64(59)).astype(int), ((words >> np.uint64(26)) & np.uint64(31)).astype(int)
    assert _chi_square(np.bincount((32 * action + state).ravel(), minlength=1024)) > ERROR_RATE


def test_visit_frequencies_are_those_of_the_kernel() -> None:
    """Every (s_{N_i}, a_i) → s_i' and s_i → a_i, counted over long episodes, against P_i and ζ_i."""
    mdp = random_mdp(nx.path_graph(3), seed=5, state_sizes=(2, 3, 2), action_sizes=(3, 2, 2))
    zeta = policies(mdp, gaussian_theta(mdp, np.random.default_rng(3)))
    T = 60_000
    s, a, _ = Simulator(mdp).rollout(zeta, T, seed=8, m=0)
    for i, hood in enumerate(mdp.neighbors):
        transitions = np.zeros(mdp.P[i].shape)
        np.add.at(transitions, (*(s[j, :-1] for j in hood), a[i, :-1], s[i, 1:]), 1)
        chosen = np.zeros(zeta[i].shape)
        np.add.at(chosen, (s[i], a[i]), 1)
        for counts, law in ((transitions, mdp.P[i]), (chosen, zeta[i])):
            expected = counts.sum(axis=-1, keepdims=True) * law
            enough = (expected >= 5).all(axis=-1)
            statistic = ((counts - expected) ** 2 / np.where(expected > 0, expected, 1.0)).sum(axis=-1)[enough].sum()
            freedom = enough.sum() * (law.shape[-1] - 1)
            assert enough.any()
            assert scipy.stats.chi2.sf(statistic, freedom) > ERROR_RATE


@pytest.mark.parametrize("joint", [False, True])
def test_starts_follow_pi0(joint: bool) -> None:
    mdp = random_mdp(nx.path_graph(2), seed=5, state_sizes=(2, 3))
    law = np.array([[0.1, 0.0, 0.4], [0.3, 0.2, 0.0]]) if joint else mdp.joint_pi0()
    if joint:
        mdp = NetworkedMDP(mdp.graph, mdp.P, mdp.r, mdp.gamma, law)
    simulator, zeta = Simulator(mdp), policies(mdp, uniform_theta(mdp))
    counts = np.zeros((2, 3))
    for m in range(4000):
        s = simulator.rollout(zeta, 1, seed=0, m=m).s[:, 0]
        counts[tuple(s)] += 1
    assert (counts[law == 0] == 0).all()
    assert scipy.stats.chisquare(counts[law > 0], 4000 * law[law > 0]).pvalue > ERROR_RATE


def test_thresholds_keep_certain_and_impossible_outcomes() -> None:
    law = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert thresholds(law).tolist() == [[0, SCALE], [SCALE, SCALE], [0, 0]]
    for row, outcome in zip(law, (1, 0, 2), strict=True):
        assert [stepped.draw(u, row.tolist()) for u in (0, SCALE - 1)] == [outcome, outcome]


def test_starts_and_steps_use_different_words() -> None:
    assert stepped.word(0, 0, START, 0, 0) != stepped.word(0, 0, STEP, 0, 0)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"T": 0}, ValueError, "T must be at least 1"),
        ({"T": 2.0}, TypeError, "T must be an integer"),
        ({"seed": -1}, ValueError, "seed must lie in"),
        ({"m": 2**64}, ValueError, "m must lie in"),
        ({"m": None}, TypeError, "m must be an integer"),
        ({"zeta": None}, TypeError, "zeta must be a sequence of arrays, one an agent, got NoneType"),
        ({"zeta": (np.full((2, 2), 0.5), np.full((2, 2), "0.5"))}, TypeError, r"zeta\[1\] .* must hold real numbers"),
        (
            {"zeta": (np.full((2, 2), 0.5), np.full((2, 2), 0.5 + 0j))},
            TypeError,
            r"zeta\[1\] .* must hold real numbers",
        ),
        ({"zeta": (np.full((2, 2), 0.5),)}, ValueError, "zeta holds 1 arrays, but there are 2 agents"),
        ({"zeta": (np.full((2, 2), 0.5), np.ones((3, 1)))}, ValueError, r"zeta\[1\] of agent 1 has shape \(3, 1\)"),
        ({"zeta": (np.full((2, 2), 0.6), np.full((2, 2), 0.5))}, ValueError, r"zeta\[0\] of agent 0 must hold"),
        ({"zeta": (np.full((2, 2), np.nan), np.full((2, 2), 0.5))}, ValueError, r"zeta\[0\] of agent 0 must hold"),
    ],
)
def test_invalid_arguments_are_refused(change: dict[str, object], error: type[Exception], message: str) -> None:
    mdp = random_mdp(nx.path_graph(2), seed=0)
    arguments: dict[str, object] = {"zeta": policies(mdp, uniform_theta(mdp)), "T": 3, "seed": 0, "m": 0, **change}
    for simulator in (Simulator(mdp), SteppedSimulator(Copy(mdp))):
        with pytest.raises(error, match=message):
            simulator.rollout(**arguments)  # type: ignore[arg-type]


def test_a_simulator_is_of_a_model() -> None:
    mdp = random_mdp(nx.path_graph(2), seed=0)
    for model in (None, as_coupled(mdp)):
        with pytest.raises(TypeError, match="expected a NetworkedMDP or a CountedMDP, got"):
            Simulator(model)  # type: ignore[arg-type]
    for own in (None, mdp):
        with pytest.raises(TypeError, match=r"expected a simulator with graph, .* and step\(a, rng\), got"):
            SteppedSimulator(own)  # type: ignore[arg-type]


def test_too_many_pairs_are_refused() -> None:
    mdp = NetworkedMDP(
        nx.empty_graph(1),
        (np.full((2, 45_000, 2), 1 / 2),),
        (np.ones((2, 45_000)),),
        0.5,
        (np.full(2, 1 / 2),),
    )
    with pytest.raises(ValueError, match=r"agent 0 has S_0·A_0 = 90000 state-action pairs"):
        Simulator(mdp)


class Copy:
    """A user's simulator of a given model that draws its next states as the house does."""

    def __init__(self, mdp: NetworkedMDP, seed: int = 0, m: int = 0) -> None:
        self.mdp, self.seed, self.m = mdp, seed, m
        self.graph, self.gamma = mdp.graph, mdp.gamma
        self.state_sizes, self.action_sizes = mdp.state_sizes, mdp.action_sizes

    def reset(self, rng: np.random.Generator) -> Array:
        self.t, self.s = 0, stepped.start_by_steps(self.mdp, seed=self.seed, m=self.m)
        return np.array(self.s)

    def step(self, a: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        r = [r_i[s_i, a_i] for r_i, s_i, a_i in zip(self.mdp.r, self.s, a, strict=True)]
        following = []
        for i, hood in enumerate(self.mdp.neighbors):
            law = self.mdp.P[i][(*(self.s[j] for j in hood), a[i])]
            u = stepped.word(self.seed, self.m, STEP, self.t, i) & (SCALE - 1)
            following.append(stepped.draw(u, law.tolist()))
        self.s, self.t = tuple(following), self.t + 1
        return np.array(r), np.array(following)


def test_a_users_simulator_meets_the_models_trajectories() -> None:
    mdp = random_mdp(nx.path_graph(3), seed=1, state_sizes=(2, 3, 2), action_sizes=(2, 1, 3))
    zeta = policies(mdp, gaussian_theta(mdp, np.random.default_rng(0)))
    own, house = (as_simulator(x).rollout(zeta, 50, seed=3, m=4) for x in (Copy(mdp, 3, 4), mdp))
    for name in ("s", "a", "r"):
        assert np.array_equal(getattr(own, name), getattr(house, name))


def _after(change: object) -> object:
    """A step whose answer is wrong from t = 1 on."""

    def step(self: Copy, a: Array, rng: np.random.Generator) -> object:
        r, s_next = Copy.step(self, a, rng)
        return change(r, s_next) if self.t > 1 else (r, s_next)  # type: ignore[operator]

    return step


@pytest.mark.parametrize(
    ("broken", "error", "message"),
    [
        ({"reset": lambda self, rng: np.zeros(3, int)}, ValueError, r"reset\(\) returned states of shape \(3,\)"),
        ({"reset": lambda self, rng: np.zeros(2)}, TypeError, r"reset\(\) returned states of type float64"),
        ({"reset": lambda self, rng: np.array([0, 2])}, ValueError, r"reset\(\) put agent 1 in state 2, expected 0..1"),
        ({"step": _after(lambda r, s: r)}, TypeError, r"step\(\) at t = 1 must return the pair \(r, s_next\)"),
        ({"step": _after(lambda r, s: (r, s, False, {}))}, TypeError, r"pair \(r, s_next\), got a tuple of 4"),
        (
            {"reset": lambda self: np.zeros(2, int)},
            TypeError,
            r"^Broken.reset cannot be called as reset\(rng\), .*take the",
        ),
        ({"step": lambda self, a: (a, a)}, TypeError, r"^Broken.step cannot be called as step\(a, rng\), .*take the"),
        (
            {"reset": lambda self, rng: (np.zeros(2, int), {})},
            TypeError,
            r"reset\(\) returned states that are no vector, got a t",
        ),
        (
            {"step": _after(lambda r, s: ([[0], [0, 1]], s))},
            TypeError,
            r"rewards that are no vector, got list; expected 2",
        ),
        ({"step": _after(lambda r, s: (r, s[:1]))}, ValueError, r"step\(\) at t = 1 returned states of shape \(1,\)"),
        ({"step": _after(lambda r, s: (r, s - 5))}, ValueError, r"step\(\) at t = 1 put agent 0 in state -"),
        ({"step": _after(lambda r, s: (r[:1], s))}, ValueError, r"step\(\) at t = 1 returned rewards of shape \(1,\)"),
        ({"step": _after(lambda r, s: (r * np.nan, s))}, ValueError, r"at t = 1 gave agent 0 the reward nan"),
        ({"step": _after(lambda r, s: (-1 - r, s))}, ValueError, r"at t = 1 gave agent 0 the reward -"),
        ({"step": _after(lambda r, s: (r + np.inf, s))}, ValueError, r"at t = 1 gave agent 0 the reward inf"),
        ({"step": _after(lambda r, s: (r * 1j, s))}, TypeError, r"at t = 1 returned rewards of type complex128"),
        (
            {"step": _after(lambda r, s: ([[1], [1, 2]], s))},
            TypeError,
            r"step\(\) at t = 1 returned rewards that are no vector",
        ),
        (
            {"step": _after(lambda r, s: (r, [[1], [1, 2]]))},
            TypeError,
            r"step\(\) at t = 1 returned states that are no vector",
        ),
        ({"reset": lambda self, rng: [[1], [1, 2]]}, TypeError, r"reset\(\) returned states that are no vector, got l"),
    ],
)
def test_a_users_simulator_is_held_to_its_contract(
    broken: dict[str, object], error: type[Exception], message: str
) -> None:
    mdp = random_mdp(nx.path_graph(2), seed=0)
    own = type("Broken", (Copy,), broken)(mdp)
    with pytest.raises(error, match=message):
        as_simulator(own).rollout(policies(mdp, uniform_theta(mdp)), 5, seed=0, m=0)


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("gamma", 1.0, ValueError, "gamma must lie in"),
        ("gamma", None, TypeError, r"gamma must be a number in \[0, 1\), got None"),
        ("gamma", "0.5", TypeError, r"gamma must be a number in \[0, 1\), got '0.5'"),
        ("state_sizes", 2, TypeError, "state_sizes must hold one integer an agent, got 2"),
        ("state_sizes", np.array(2), TypeError, r"state_sizes must hold one integer an agent, got array\(2\)"),
        ("action_sizes", (2, 1.5), ValueError, r"action_sizes\[1\] of agent 1 must be an integer"),
        ("state_sizes", (2,), ValueError, "state_sizes holds 1 numbers, but the graph has 2 agents"),
        ("action_sizes", (2, 0), ValueError, r"action_sizes\[1\] of agent 1 must be an integer of at least 1"),
        ("graph", nx.DiGraph([(0, 1)]), TypeError, "undirected"),
    ],
)
def test_a_users_simulator_must_describe_itself(name: str, value: object, error: type[Exception], message: str) -> None:
    own = Copy(random_mdp(nx.path_graph(2), seed=0))
    setattr(own, name, value)
    with pytest.raises(error, match=message):
        as_simulator(own)


@pytest.mark.parametrize("pairs", [np.uint8, np.uint16])
@pytest.mark.parametrize("distinct", [1, 5, 40, 41, 1000])
def test_an_episode_holds_the_rewards_that_it_was_given(distinct: int, pairs: type[np.generic]) -> None:
    rng = np.random.default_rng(distinct)
    values = rng.permutation(np.append(-0.0, rng.random(distinct - 1)))
    r = values[rng.integers(0, distinct, (3, 40))]
    r[:, 0] = values[0]
    episode = Episode.of(z := np.zeros((3, 40), pairs), r)
    assert (episode.r(3, 39) == r).all()
    assert not np.signbit(episode.r(3, 39)).any()
    few = len(np.unique(r)) <= 40
    assert (episode.code.dtype == z.dtype) == few, "what is compiled for a model's episodes reads these too"


def test_policies_are_made_for_whatever_has_sizes() -> None:
    """Seen: refused for a simulator of one's own, "expected a model such as a NetworkedMDP"."""
    mdp = random_mdp(nx.path_graph(3), seed=1, state_sizes=(2, 3, 2), action_sizes=(2, 1, 3))
    counted = COUNTED["sis"](nx.path_graph(3), gamma=0.9)
    own = [mdp, as_coupled(mdp), Copy(mdp), as_simulator(Copy(mdp)), as_simulator(mdp), of_model(mdp)]
    for source in (*own, counted, as_simulator(counted)):
        shapes = [(2, 2), (3, 1), (2, 3)] if source in own else [(2, 2)] * 3
        assert [block.shape for block in uniform_theta(source)] == shapes
        assert [block.shape for block in gaussian_theta(source, np.random.default_rng(0))] == shapes
        assert [block.shape for block in Policy.of(source, lambda i, s: 0).zeta] == shapes
        assert [block.shape for block in check_theta(source, uniform_theta(source))] == shapes


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("state_sizes", (2,), "state_sizes holds 1 numbers, but the graph has 2 agents"),
        ("action_sizes", (2, 2, 2), "action_sizes holds 3 numbers, but the graph has 2 agents"),
        ("action_sizes", (2, 0), r"action_sizes\[1\] of agent 1 must be an integer of at least 1, got 0"),
    ],
)
def test_policies_are_not_made_for_sizes_that_are_none(name: str, value: object, message: str) -> None:
    """Seen: "zip() argument 2 is shorter than argument 1"."""
    own = Copy(random_mdp(nx.path_graph(2), seed=0))
    setattr(own, name, value)
    with pytest.raises(ValueError, match=message):
        uniform_theta(own)


def test_a_users_simulator_without_a_step_is_refused() -> None:
    class Half:
        graph, state_sizes, action_sizes, gamma = nx.path_graph(2), (2, 2), (2, 2), 0.5

        def reset(self, rng: np.random.Generator) -> Array:
            return np.zeros(2, int)

    with pytest.raises(
        TypeError,
        match=r"expected a NetworkedMDP, a CoupledMDP, a CountedMDP or a simulator, got Half.* step\(a, rng\)",
    ):
        as_simulator(Half())


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.longdouble, np.uint8, bool])
@pytest.mark.filterwarnings("error")
def test_rewards_of_any_width_are_taken(kind: type) -> None:
    """Seen: "RuntimeWarning: overflow encountered in cast" of float32 and float16."""
    mdp = random_mdp(nx.path_graph(2), seed=0)
    own = type("Narrow", (Copy,), {"step": _after(lambda r, s: (np.array([1, 0], dtype=kind), s))})(mdp)
    r = as_simulator(own).rollout(policies(mdp, uniform_theta(mdp)), 5, seed=0, m=0).r
    assert r.dtype == np.float64
    assert (r[:, 1:] == [[1.0], [0.0]]).all()


@pytest.mark.filterwarnings("error")
def test_rewards_beyond_the_range_of_floats_are_refused() -> None:
    mdp = random_mdp(nx.path_graph(2), seed=0)
    vast = np.array(["1e400", "0"]).astype(np.longdouble)
    own = type("Vast", (Copy,), {"step": _after(lambda r, s: (vast, s))})(mdp)
    with pytest.raises(ValueError, match="at t = 1 gave agent 0 the reward inf"):
        as_simulator(own).rollout(policies(mdp, uniform_theta(mdp)), 5, seed=0, m=0)


def test_a_users_simulator_may_reuse_its_arrays() -> None:
    """What it returned is copied: arrays that it overwrites later do not change the trajectory."""
    mdp = random_mdp(nx.path_graph(3), seed=1)
    zeta = policies(mdp, uniform_theta(mdp))

    class Reuses(Copy):
        def step(self, a: Array, rng: np.random.Generator) -> tuple[Array, Array]:
            r, s_next = super().step(a, rng)
            self.buffers = getattr(self, "buffers", (np.zeros(3), np.zeros(3, int)))
            self.buffers[0][:], self.buffers[1][:] = r, s_next
            a[:] = -1
            return self.buffers

    own, house = (as_simulator(x).rollout(zeta, 30, seed=3, m=4) for x in (Reuses(mdp, 3, 4), mdp))
    for name in ("s", "a", "r"):
        assert np.array_equal(getattr(own, name), getattr(house, name))


def test_a_users_random_draws_are_keyed_by_seed_and_iteration() -> None:
    """The generator it is given is the same for equal (seed, m) and another otherwise."""
    mdp = random_mdp(nx.path_graph(2), seed=0)

    class Draws(Copy):
        def reset(self, rng: np.random.Generator) -> Array:
            super().reset(rng)
            return rng.integers(0, 2, 2)

        def step(self, a: Array, rng: np.random.Generator) -> tuple[Array, Array]:
            return rng.random(2), rng.integers(0, 2, 2)

    simulator, zeta = as_simulator(Draws(mdp)), policies(mdp, uniform_theta(mdp))
    once, again, other, later = (
        simulator.rollout(zeta, 20, seed=seed, m=m).r for seed, m in ((1, 2), (1, 2), (2, 2), (1, 3))
    )
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)
    assert not np.array_equal(once, later)


@pytest.mark.parametrize("low", [0, 2**53, 2**63, 2**64 - 4])
def test_every_seed_and_iteration_has_random_draws_of_its_own(low: int) -> None:
    """Seen: a list of an integer of 2^63 or more and a small one became floats, and a thousand seeds one."""

    class Told(Copy):
        def reset(self, rng: np.random.Generator) -> Array:
            drawn.append(tuple(rng.integers(0, 2**63, 2).tolist()))
            return super().reset(rng)

    drawn: list[tuple[int, ...]] = []
    mdp = random_mdp(nx.path_graph(2), seed=0)
    simulator, zeta = as_simulator(Told(mdp)), policies(mdp, uniform_theta(mdp))
    for k in range(4):
        simulator.rollout(zeta, 1, seed=low + k, m=0)
        simulator.rollout(zeta, 1, seed=7, m=low + k)
        simulator.rollout(zeta, 1, seed=np.uint64(low + k), m=5)
    assert len(set(drawn)) == 12


@pytest.mark.parametrize("key", [(0, 0), (1, 2), (5, 2**40), (2**63 - 1, 7)])
def test_random_draws_of_small_keys_are_those_of_lists(key: tuple[int, int]) -> None:
    """The streams that runs so far have drawn from."""
    mdp, seen = random_mdp(nx.path_graph(2), seed=0), list[Array]()

    class Told(Copy):
        def reset(self, rng: np.random.Generator) -> Array:
            seen.append(rng.random(8))
            return super().reset(rng)

    as_simulator(Told(mdp)).rollout(policies(mdp, uniform_theta(mdp)), 1, seed=key[0], m=key[1])
    assert np.array_equal(seen[0], np.random.Generator(np.random.Philox(key=list(key))).random(8))


def test_an_episode_that_cannot_fit_is_refused_before_it_starts() -> None:
    mdp = random_mdp(nx.path_graph(2), seed=0)
    for model in (mdp, as_coupled(mdp)):
        with pytest.raises(MemoryError, match=r"an episode of T = 10000000000000 steps needs .* a smaller T fits"):
            as_simulator(model).rollout(policies(mdp, uniform_theta(mdp)), 10**13, seed=0, m=0)


class Delegate:
    """The methods of another simulator, one call at a time, and none of its classes."""

    def __init__(self, other: Simulator, together: int) -> None:
        self.graph, self.gamma, self.n, self.together = other.graph, other.gamma, other.n, together
        self.state_sizes, self.action_sizes = other.state_sizes, other.action_sizes
        self.episodes, self.rollout, self.calls = other.episodes, other.rollout, 0

    def compiled(self, copies: int) -> None:
        self.calls += 1


def test_whatever_has_the_methods_is_a_simulator() -> None:
    """A class of its own that is not compiled learns what the compiled loop learns, bit for bit, however batched."""
    mdp = random_mdp(nx.cycle_graph(5), seed=1, state_sizes=(2, 3, 2, 1, 2), action_sizes=(2, 1, 3, 2, 2))
    theta = gaussian_theta(mdp, np.random.default_rng(0))
    arguments = {"kappa": 1, "M": 3, "T": 40, "h": 3.0, "t0": 5.0, "eta": 1.0, "seeds": range(5)}
    runs = sac_seeds(mdp, theta, **arguments)
    for together in (1, 2, 9):
        own = Delegate(Simulator(mdp), together)
        assert as_simulator(own) is own
        for run, same in zip(runs, sac_seeds(own, theta, **arguments), strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(run.thetas, same.thetas, strict=True))
            assert np.array_equal(run.J_estimate, same.J_estimate)
        assert own.calls == -(-5 // together)


def test_other_objects_are_refused() -> None:
    with pytest.raises(TypeError, match="expected a NetworkedMDP, a CoupledMDP, a CountedMDP or a simulator, got int"):
        as_simulator(3)
