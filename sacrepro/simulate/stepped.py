"""A simulator of the user's own: two methods on vectors of local states, and the checks that hold it to its word.

The user supplies what Algorithm 1 presupposes and nothing more: the graph, the sizes, γ, a start and a step. Actions
are drawn here, with the same words as for a model, so a user's simulator that draws its next states as `Simulator`
does produces the same trajectories.
"""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Protocol, runtime_checkable

import networkx as nx
import numpy as np

from sacrepro.model.checks import LARGEST_SCALE, Array, action_tables, discount
from sacrepro.model.graph import check_graph
from sacrepro.model.mdp import CountedMDP, CoupledMDP, NetworkedMDP
from sacrepro.model.policy import Policy, one_size_an_agent
from sacrepro.simulate.random_bits import SCALE, START, STEP
from sacrepro.simulate.rollout import Simulator, policy_thresholds, sample_actions
from sacrepro.simulate.trajectory import AnySimulator, BaseSimulator, Episode, Trajectory


@runtime_checkable
class OwnSimulator(Protocol):
    """What a user's own simulator offers.

    graph         : networkx.Graph on the agents 0..n-1.
    state_sizes, action_sizes : (S_0, …), (A_0, …).
    gamma         : γ ∈ [0, 1).
    reset(rng)    : s(0), n integers with 0 ≤ s_i < S_i.
    step(a, rng)  : (r, s_next) after the joint action a: n rewards, finite and ≥ 0, and the next n local states.

    An episode of length T has t = 0..T: `reset` once, then `step` T+1 times, since line 5 of Algorithm 1 asks for the
    reward r_i(T) and line 11 sums over t = 0..T. The states that the last `step` returns are checked and not used.
    `rng` is a numpy Generator keyed by (seed, m); a simulator that draws from it alone is reproducible.
    """

    graph: nx.Graph
    state_sizes: Sequence[int]
    action_sizes: Sequence[int]
    gamma: float

    def reset(self, rng: np.random.Generator) -> Array: ...

    def step(self, a: Array, rng: np.random.Generator) -> tuple[Array, Array]: ...


#: What it has, in words.
NEEDS = "graph, state_sizes, action_sizes, gamma, reset(rng) and step(a, rng)"


class SteppedSimulator(BaseSimulator):
    """Trajectories of an `OwnSimulator`, every answer of which is checked; one seed at a time.

    Raises TypeError or ValueError naming the call, the step, the agent and what was expected.
    """

    def __init__(self, own: OwnSimulator) -> None:
        if not isinstance(own, OwnSimulator):
            raise TypeError(f"expected a simulator with {NEEDS}, got {type(own).__name__}")
        _check_calls(own)
        check_graph(own.graph)
        state_sizes = one_size_an_agent("state_sizes", own.state_sizes, len(own.graph))
        action_sizes = one_size_an_agent("action_sizes", own.action_sizes, len(own.graph))
        super().__init__(own.graph, state_sizes, action_sizes, discount(own.gamma))
        self.own, self.together = own, 1

    def episodes(self, zeta: Array, seeds: Array, m: int, T: int) -> Episode:
        """As of `AnySimulator`. `step` is called T+1 times, since line 5 asks for r_i(T)."""
        (seed,) = seeds
        S, A = np.array(self.state_sizes), np.array(self.action_sizes)
        cumulative = np.empty(len(zeta), dtype=np.uint32)
        policy_thresholds(S, A, self.pair, zeta, cumulative)
        rng = np.random.Generator(np.random.Philox(key=np.array([seed, m], dtype=np.uint64)))
        z, r = np.empty((self.n, T + 1), self.code_type), np.empty((self.n, T + 1))
        actions = np.empty(self.n, dtype=np.int64)
        state = self._states("reset()", self.own.reset(rng))
        for t in range(T + 1):
            sample_actions(A, self.pair, cumulative, seed, np.uint64(m), t, state, actions)
            z[:, t] = state * A + actions
            answer = self.own.step(actions.copy(), rng)
            what = f"step() at t = {t}"
            if not isinstance(answer, tuple) or len(answer) != 2:
                raise TypeError(f"{what} must return the pair (r, s_next), got {_told(answer)}")
            r[:, t] = self._rewards(what, answer[0])
            state = self._states(what, answer[1])
        return Episode.of(z, r)

    def _vector(self, what: str, answer: object) -> Array:
        """An answer with one entry an agent."""
        if isinstance(answer, np.ma.MaskedArray) and np.ma.is_masked(answer):
            raise ValueError(f"{what} that are masked for agent {int(np.argmax(np.ma.getmaskarray(answer)))}")
        try:
            found = np.asarray(answer)
        except (ValueError, RuntimeError):
            told = f"{what} that are no vector, got {_told(answer)}; expected {self.n}, one an agent"
            raise TypeError(told) from None
        if found.shape != (self.n,):
            raise ValueError(f"{what} of shape {found.shape}, expected ({self.n},): one an agent")
        return found

    def _states(self, what: str, answer: object) -> Array:
        state = self._vector(f"{what} returned states", answer)
        if not np.issubdtype(state.dtype, np.integer):
            raise TypeError(f"{what} returned states of type {state.dtype}, expected integers")
        wrong = np.flatnonzero((state < 0) | (state >= np.array(self.state_sizes)))
        if len(wrong):
            i = int(wrong[0])
            raise ValueError(f"{what} put agent {i} in state {state[i]}, expected 0..{self.state_sizes[i] - 1}")
        return state.astype(np.int64)

    def _rewards(self, what: str, answer: object) -> Array:
        r = self._vector(f"{what} returned rewards", answer)
        if r.dtype.kind not in "fiub":
            raise TypeError(f"{what} returned rewards of type {r.dtype}, expected real numbers")
        with np.errstate(over="ignore"):  # of long doubles: what is too large is refused as infinite
            r = r.astype(np.float64)
        wrong = np.flatnonzero(~(np.isfinite(r) & (r >= 0)))
        if len(wrong):
            i = int(wrong[0])
            raise ValueError(
                f"{what} gave agent {i} the reward {r[i]}, expected a finite number of at least 0; a constant c added "
                "to every reward (shift= of a PettingZoo simulator) shifts Q by c/(1-γ) and leaves ∇J as it is; what "
                "Algorithm 1 learns at finite T moves with c, so that c should be small"
            )
        largest = LARGEST_SCALE * (1.0 - self.gamma) ** 2
        if r.max() > largest:
            i = int(r.argmax())
            raise ValueError(
                f"{what} gave agent {i} the reward {r[i]}; with gamma = {self.gamma!r} rewards may be at most "
                f"{largest:.3g}, as those of a model: divide them by a constant"
            )
        return r


def _told(answer: object) -> str:
    return f"a tuple of {len(answer)}" if isinstance(answer, tuple) else type(answer).__name__


def _check_calls(own: OwnSimulator) -> None:
    """TypeError for methods that do not take what they are given."""
    for name, given in (("reset", ("rng",)), ("step", ("a", "rng"))):
        try:
            signature(getattr(own, name)).bind(*given)
        except ValueError:  # compiled methods may show no signature
            continue
        except TypeError as error:
            raise TypeError(
                f"{type(own).__name__}.{name} cannot be called as {name}({', '.join(given)}), {error}: reset(rng) and "
                "step(a, rng) take the numpy Generator that they draw from, also where they draw nothing"
            ) from None


def as_simulator(source: object) -> AnySimulator:
    """`source` as the learner may see it: a model behind its wall, or a user's own simulator under its checks.

    A simulator is known by its methods, a model by its class, which has checked it. Raises TypeError for anything else.
    """
    if isinstance(source, AnySimulator):
        return source
    if isinstance(source, (NetworkedMDP, CountedMDP)):
        return Simulator(source)
    if isinstance(source, CoupledMDP):
        return SteppedSimulator(ModelSteps(source))
    if isinstance(source, OwnSimulator):
        return SteppedSimulator(source)
    raise TypeError(
        f"expected a NetworkedMDP, a CoupledMDP, a CountedMDP or a simulator, got {type(source).__name__}; a simulator "
        f"of your own needs {NEEDS}"
    )


# Sampling of any model, step by step, for small networks.


def drawn_start(mdp: NetworkedMDP | CountedMDP | CoupledMDP, rng: np.random.Generator) -> Array:
    """s(0) ~ π_0, shape (n,)."""
    if isinstance(mdp.pi0, np.ndarray):
        return np.array(np.unravel_index(drawn(mdp.pi0.ravel(), rng), mdp.pi0.shape), dtype=np.int64)
    return np.array([drawn(pi0_i, rng) for pi0_i in mdp.pi0], dtype=np.int64)


def drawn_step(
    mdp: NetworkedMDP | CountedMDP | CoupledMDP, s: Array, a: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """(r, s_next) after the joint action a in s, each of shape (n,)."""
    paid = [list(hood) for hood in mdp.reward_hoods]
    r = np.array([r_i[(*s[hood], *a[hood])] for r_i, hood in zip(mdp.r, paid, strict=True)])
    seen = zip(mdp.kernels, map(list, mdp.neighbors), strict=True)
    return r, np.array([drawn(kernel.rows[kernel.row(s[hood], a[hood])], rng) for kernel, hood in seen])


def drawn(law: Array, rng: np.random.Generator) -> int:
    """One outcome of a law; impossible ones are never drawn."""
    cumulative = np.cumsum(law)
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))


class ModelSteps:
    """An `OwnSimulator` of a model."""

    def __init__(self, mdp: NetworkedMDP | CountedMDP | CoupledMDP) -> None:
        self.graph, self.gamma = mdp.graph, mdp.gamma
        self.state_sizes: Sequence[int] = mdp.state_sizes
        self.action_sizes: Sequence[int] = mdp.action_sizes
        self._mdp = mdp
        self._s = np.zeros(mdp.n, dtype=np.int64)

    def reset(self, rng: np.random.Generator) -> Array:
        """s(0) ~ π_0."""
        self._s = drawn_start(self._mdp, rng)
        return self._s.copy()

    def step(self, a: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        """(r, s_next) after the joint action a."""
        r, self._s = drawn_step(self._mdp, self._s, a, rng)
        return r, self._s.copy()


# The sampling formula as plain code: one agent, one step, one word at a time. The oracle of the compiled loop.

_MASK = (1 << 64) - 1
_G = 0x9E3779B97F4A7C15


def mix(z: int, k: int = 0) -> int:
    """SplitMix64's finalizer of z on Python integers, with the key k added between its multiplications."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    z = ((z ^ (z >> 27)) + k) * 0x94D049BB133111EB & _MASK
    return z ^ (z >> 31)


def word(seed: int, m: int, purpose: int, t: int, i: int) -> int:
    """The 64-bit word of (seed, m, purpose, t, i), as defined in `sacrepro.simulate.random_bits`."""
    key = mix((seed + _G) & _MASK)
    key = mix((key + m + _G) & _MASK)
    key = mix((key + purpose + _G) & _MASK)
    k0 = mix((key + (t + 1) * _G) & _MASK)
    k1 = mix(k0 ^ key)
    return mix((k0 + i * _G) & _MASK, k1)


def draw(u: int, distribution: Sequence[float]) -> int:
    """The outcome that the 31-bit integer u picks: the first k with u < ⌊2^31 (p_0 + … + p_k) + ½⌋."""
    total = 0.0
    for k, p in enumerate(distribution[:-1]):
        total += float(p)
        if u < int(total * SCALE + 0.5):
            return k
    return len(distribution) - 1


def start_by_steps(mdp: NetworkedMDP, *, seed: int, m: int) -> tuple[int, ...]:
    """s(0) ~ π_0 of outer iteration m under `seed`."""
    if isinstance(mdp.pi0, np.ndarray):
        u53 = (word(seed, m, START, 0, 0) >> 11) * 2.0**-53
        total = 0.0
        for s in np.ndindex(*mdp.state_sizes):
            total += float(mdp.pi0[s])
            if u53 < total:
                return tuple(s)
        return tuple(int(s_i) for s_i in np.argwhere(mdp.pi0)[-1])  # the last possible outcome
    return tuple(draw(word(seed, m, START, 0, i) & (SCALE - 1), list(p)) for i, p in enumerate(mdp.pi0))


def rollout_by_steps(
    mdp: NetworkedMDP | CountedMDP, zeta: Sequence[Array] | Policy, T: int, *, seed: int, m: int
) -> Trajectory:
    """The trajectory that `Simulator(mdp).rollout` returns for the same keys, read off eq. (1) step by step."""
    if isinstance(mdp, CountedMDP):
        mdp = mdp.expanded()
    if not isinstance(mdp, NetworkedMDP):
        raise TypeError(f"expected a NetworkedMDP or a CountedMDP, got {type(mdp).__name__}")
    laws = action_tables("zeta", zeta.zeta if isinstance(zeta, Policy) else zeta, mdp.state_sizes, mdp.action_sizes)
    n = mdp.n
    s = np.zeros((n, T + 1), dtype=np.int64)
    a = np.zeros((n, T + 1), dtype=np.int64)
    r = np.zeros((n, T + 1))
    state = start_by_steps(mdp, seed=seed, m=m)
    for t in range(T + 1):
        following = []
        for i in range(n):
            w = word(seed, m, STEP, t, i)
            a_i = draw(w >> 33, list(laws[i][state[i]]))
            s[i, t], a[i, t], r[i, t] = state[i], a_i, mdp.r[i][state[i], a_i]
            conditions = tuple(state[j] for j in mdp.neighbors[i])
            following.append(draw(w & (SCALE - 1), list(mdp.P[i][(*conditions, a_i)])))
        state = tuple(following)
    return Trajectory(s, a, r)
