"""What every learner of this room shares: its arguments, refused with one clear message each, and a run's trace."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from sacrepro.archive.files import read_arrays, write_arrays
from sacrepro.learn.cells import Hoods, copied, hoods
from sacrepro.learn.critic import schedule, scratch
from sacrepro.model.checks import Array, convex, integer, mixture, number, positive
from sacrepro.model.memory import demand, readable_count
from sacrepro.model.notices import brief, warn
from sacrepro.model.policy import Sized, Theta, check_theta
from sacrepro.simulate.tables import flat, pair_starts
from sacrepro.simulate.trajectory import AnySimulator, Episode, demand_episode


class SACTrace(NamedTuple):
    """What one run of Algorithm 1 leaves.

    theta  : θ(M), one array of shape (S_i, A_i) an agent.
    thetas : θ at the recorded outer iterations, one array of shape (records, S_i, A_i) an agent.
    m      : (records,) the recorded outer iterations: 0, record_every, 2·record_every, …, and M.
    J_estimate : (M,) Σ_{t=0}^T γ^t (1/n) Σ_i r_i(t) of each episode.
    first_visit_share : (M,) share of the n·T updates of line 7 that were the first of their entry. Where it is near 1,
             Q̂_i is hardly more than α r_i and κ is not being tested.
    settings, seed : what `sac` was asked for, None in the trace of another learner; `resume` goes on from them.

    A run that was interrupted has the records and returns of the outer iterations that it finished: fewer than
    `settings.M`.

    >>> from sacrepro import resume, sac, uniform_theta
    >>> from sacrepro.instances.relay import relay
    >>> mdp, steps = relay(3, gamma=0.5), dict(kappa=1, T=9, h=2.0, t0=4.0, eta=0.1, seed=0)
    >>> half, whole = (sac(mdp, uniform_theta(mdp), M=M, **steps) for M in (3, 6))
    >>> bool((resume(mdp, half, M=6).theta[2] == whole.theta[2]).all())
    True
    """

    theta: tuple[Array, ...]
    thetas: tuple[Array, ...]
    m: Array
    J_estimate: Array
    first_visit_share: Array
    settings: Settings | None = None
    seed: int | None = None

    def __repr__(self) -> str:
        return brief(self, *(name for name in self._fields if name != "settings"))

    def save(self, path: str | Path) -> None:
        """Write one npz file, from which `load` makes an equal trace: every digit, the settings and the seed."""
        told = {"format": FORMAT, "settings": self.settings and asdict(self.settings), "seed": self.seed}
        arrays = {
            "about": np.array(json.dumps(told, default=lambda number: number.item())),
            "sizes": np.array([block.shape[1:] for block in self.thetas]),
            "thetas": np.concatenate([block.reshape(len(self.m), -1) for block in self.thetas], axis=1),
        }
        write_arrays(path, arrays | {name: getattr(self, name) for name in ("m", "J_estimate", "first_visit_share")})

    @classmethod
    def load(cls, path: str | Path) -> SACTrace:
        """The trace in a file of `save`.

        FileNotFoundError names a file that is not there, ValueError one that is none or is damaged, and what is wrong.
        """
        arrays = read_arrays(path)
        try:
            return cls._of(arrays)
        except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
            told = f"it has no array {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
            raise ValueError(f"{path} is not a trace that SACTrace.save wrote: {told}") from None

    @classmethod
    def _of(cls, arrays: dict[str, Array]) -> SACTrace:
        told = json.loads(str(arrays["about"]))
        if not isinstance(told, dict) or told.get("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT!r}")
        sizes, thetas, m = arrays["sizes"], arrays["thetas"], arrays["m"]
        J_estimate, share = arrays["J_estimate"], arrays["first_visit_share"]
        settings = None if told["settings"] is None else Settings(**told["settings"])
        seed = None if told["seed"] is None else check_seed(told["seed"])
        if m.ndim != 1 or m.dtype.kind != "i" or len(m) == 0 or m[0] != 0 or (np.diff(m) <= 0).any():
            raise ValueError("m must be 0, then increase")
        if sizes.ndim != 2 or sizes.dtype.kind != "i" or sizes.shape[1] != 2 or sizes.size == 0 or sizes.min() < 1:
            raise ValueError("sizes must hold (S_i, A_i) of every agent")
        places = np.cumsum(sizes.prod(axis=1))
        shapes = {"thetas": (len(m), int(places[-1])), "J_estimate": (int(m[-1]),), "first_visit_share": (int(m[-1]),)}
        for name, expected in shapes.items():
            if arrays[name].shape != expected or arrays[name].dtype != np.float64:
                raise ValueError(f"{name} has shape {arrays[name].shape}, expected {expected} numbers of float64")
            fine = np.isfinite(arrays[name])
            if name == "thetas":
                fine |= np.isneginf(arrays[name])  # an action that is impossible
            if name != "first_visit_share" and len(lost := np.argwhere(~fine)):  # NaN: not counted
                raise ValueError(f"{name} is not finite at {lost[0].tolist()}")
        if settings is not None and m[-1] > settings.M:
            raise ValueError(f"settings.M = {settings.M}, but m ends with {m[-1]}")
        parts = np.split(thetas, places[:-1], axis=1)
        blocks = tuple(part.reshape(len(m), S, A).copy() for part, (S, A) in zip(parts, sizes, strict=True))
        return cls(tuple(block[-1].copy() for block in blocks), blocks, m, J_estimate, share, settings, seed)


#: The word by which `SACTrace.load` knows its files.
FORMAT = "sacrepro trace 1"

#: Bytes that the critic writes for each step of an episode whatever the tables: `schedule`, and the cells of `LANES`
#: agents. The rest of `scratch` is reserved, and written as far as cells are visited.
CRITIC_BYTES = 32

#: An outer iteration m and θ(m), flat; and those that are kept.
Finished = tuple[int, Array]
Records = list[Finished]

#: Called as told(m, M, J): m of M outer iterations are done, J is the sampled return of the last, the mean over seeds.
Told = Callable[[int, int, float], object]


class Problem:
    """What the outer iterations share: B disjoint copies of the network, one a seed, as one network.

    first : the outer iterations that are behind θ(0).
    told  : is told of progress; where there is one, an interrupt ends the run with what was computed.
    near  : `neighborhoods`, where they are known.
    """

    def __init__(
        self,
        simulator: AnySimulator,
        theta0: tuple[Array, ...],
        settings: Settings,
        seeds: Sequence[int],
        first: int = 0,
        told: Told | None = None,
        near: Hoods | None = None,
    ) -> None:
        self.settings, self.seeds, self.copies, self.n = settings, seeds, len(seeds), simulator.n
        self.first, self.told = first, told
        self.keys = np.array(seeds, dtype=np.uint64)
        self.state_sizes, self.action_sizes = simulator.state_sizes, simulator.action_sizes
        demand_episode(simulator, settings.T, self.copies, CRITIC_BYTES)
        self.hoods = copied(near or neighborhoods(simulator, settings.kappa), self.copies)
        self.plan = schedule(settings.h, settings.t0, simulator.gamma, settings.T)
        self.work = scratch(self.hoods, settings.T)
        self.A = np.repeat(np.array(simulator.action_sizes, dtype=np.uint32), self.copies)
        self.pair = pair_starts(np.repeat(simulator.state_sizes, self.copies), self.A)
        self.theta0 = flat(theta0, self.copies)

    def blocks(self, theta: Array, b: int) -> tuple[Array, ...]:
        """θ of copy b from flat arrays (records, …): blocks (records, S_i, A_i)."""
        copies, pair = self.copies, self.pair
        return tuple(
            theta[:, pair[i * copies + b] : pair[i * copies + b + 1]].reshape(-1, S_i, A_i).copy()
            for i, (S_i, A_i) in enumerate(zip(self.state_sizes, self.action_sizes, strict=True))
        )

    def place(self, entry: int) -> tuple[int, int, int, int]:
        """(i, b, s, a) of an entry of a flat array: agent i of copy b at (s, a)."""
        row = int(np.searchsorted(self.pair, entry, side="right")) - 1
        return *divmod(row, self.copies), *divmod(int(entry - self.pair[row]), int(self.A[row]))

    def check_ascent(self, lost: int, m: int) -> None:
        """ValueError if line 12 of outer iteration m lost this entry of the flat θ; -1 stands for none."""
        if lost < 0:
            return
        i, b, s, a = self.place(lost)
        raise ValueError(
            f"theta[{i}] of agent {i} is no longer finite at ({s}, {a}) after outer iteration m = {m} of seed "
            f"{self.seeds[b]}: lower eta = {self.settings.eta:g}, divide the rewards by a constant, or, where the "
            "critic itself diverges (lambda_ above 0, pairwise), lower h"
        )

    @property
    def stops(self) -> list[int]:
        """The outer iterations at which θ is recorded, from `first` on."""
        return [self.first, *(m for m in self.settings.stops if m > self.first)]

    def traces(self, records: Records, J_estimate: Array, share: Array) -> list[SACTrace]:
        """One trace a copy from θ, flat, at each record; J_estimate and share, (M - first, B), as far as these go."""
        m, stacked = np.array([m for m, _ in records]), np.stack([theta for _, theta in records])
        done = int(m[-1]) - self.first
        traces = []
        for b in range(self.copies):
            blocks = self.blocks(stacked, b)
            theta = tuple(block[-1].copy() for block in blocks)
            traces.append(SACTrace(theta, blocks, m.copy(), J_estimate[:done, b].copy(), share[:done, b].copy()))
        return traces

    def recorded(self, iterations: Iterator[Finished], J_estimate: Array, share: Array) -> list[SACTrace]:
        """The traces of a run whose `iterations` say after which m they are, and give θ there, flat, as a new array.

        What is kept was finished: an interrupt in between loses the outer iterations since the last of `iterations`.
        """
        settings, records = self.settings, Records()
        stops = set(self.stops)
        last: Finished | None = None
        try:
            for last in iterations:
                m, theta = last
                if m in stops:
                    records.append((m, theta))
                if self.told and m > self.first:
                    self.told(m, settings.M, float(J_estimate[m - self.first - 1].mean()))
        except KeyboardInterrupt:
            if self.told is None or last is None:
                raise
            if not records or records[-1][0] < last[0]:
                records.append(last)
            if last[0] < settings.M:
                warn(
                    f"interrupted after {last[0]} of M = {settings.M} outer iterations; "
                    f"sacrepro.resume(mdp, trace, M={settings.M}) goes on from there",
                    RuntimeWarning,
                )
        return self.traces(records, J_estimate, share)


def problems(
    simulator: AnySimulator,
    theta0: Theta,
    settings: Settings,
    seeds: Iterable[int],
    first: int = 0,
    told: Told | None = None,
) -> Iterator[Problem]:
    """The seeds, `simulator.together` at a time; θ(0) and all seeds are checked before the first."""
    theta = check_theta0(theta0, simulator)
    if not isinstance(seeds, Iterable) or getattr(seeds, "ndim", 1) == 0:
        raise TypeError(f"seeds must hold integers, got {seeds!r}")
    demand_traces(simulator, settings, seeds, first)
    chosen = [check_seed(seed) for seed in seeds]
    if not chosen:
        raise ValueError("seeds holds no integer, expected at least one")
    near = neighborhoods(simulator, settings.kappa)
    for low in range(0, len(chosen), simulator.together):
        yield Problem(simulator, theta, settings, chosen[low : low + simulator.together], first, told, near)


def demand_traces(simulator: AnySimulator, settings: Settings, seeds: Iterable[int], first: int) -> None:
    """MemoryError unless the traces fit: θ at each record, thrice while put together, and what each m leaves."""
    try:
        count = len(seeds) if isinstance(seeds, Collection) else 1
    except OverflowError:  # of a range beyond 2^63
        count = 1 << 63
    entries = sum(S_i * A_i for S_i, A_i in zip(simulator.state_sizes, simulator.action_sizes, strict=True))
    together = min(count, simulator.together)
    needed = 16 * (settings.M - first) * count + 8 * entries * settings.records * (count + 2 * together)
    what = f"a trace of M = {readable_count(settings.M)} with {readable_count(settings.records)} records of θ"
    instead = "a smaller M, a larger record_every or fewer seeds fit"
    demand(what + f" for each of {readable_count(count)} seeds" * (count > 1), needed, None, instead)


def neighborhoods(simulator: AnySimulator, kappa: int) -> Hoods:
    """N_i^κ of all agents of a simulator."""
    return hoods(simulator.graph, kappa, simulator.state_sizes, simulator.action_sizes)


class Lines(Protocol):
    """Lines 3-10 and the sums of line 11: writes G, flat like the policies, and each copy's J and share."""

    def __call__(self, episode: Episode, zeta: Array, G: Array, J: Array, share: Array) -> None: ...


class Learner(Protocol):
    """What plays and learns: policies of each outer iteration, and what their episodes do to it."""

    def policies(self, m: int) -> Array:
        """ζ of outer iteration m, flat over (i, b, s, a)."""

    def logits(self) -> Array:
        """θ of the policies that were last asked for, flat like them, as a new array."""

    def learn(self, m: int, episode: Episode, J: Array, share: Array) -> None:
        """Learns from the episode of outer iteration m; writes each copy's J and share of first visits."""


def iterated(simulator: AnySimulator, problem: Problem, learner: Learner) -> list[SACTrace]:
    """The traces of the outer iterations from `problem.first` to M, one a seed."""
    settings, first = problem.settings, problem.first
    shape = (settings.M - first, problem.copies)
    J_estimate, share = np.empty(shape), np.empty(shape)

    def iterations() -> Iterator[Finished]:
        for m in range(first, settings.M + 1):
            zeta = learner.policies(m)
            yield m, learner.logits()
            if m < settings.M:
                episode = simulator.episodes(zeta, problem.keys, m, settings.T)
                learner.learn(m, episode, J_estimate[m - first], share[m - first])

    return problem.recorded(iterations(), J_estimate, share)


def bar(first: int) -> Told:
    """A bar of tqdm, for a run that begins after `first` outer iterations."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError(
            "progress=True draws a bar with tqdm: pip install -e '.[tqdm]', or pass a function of (m, M, J)"
        ) from None
    drawn: list[Any] = []

    def tell(m: int, M: int, J: float) -> None:
        if not drawn:
            drawn.append(tqdm(total=M, initial=first, unit=" outer iterations"))
        drawn[0].set_postfix(J=f"{J:.4g}", refresh=False)
        drawn[0].update(m - drawn[0].n)
        if m == M:
            drawn[0].close()

    return tell


#: The largest step that is taken: with rewards as large as a model may have them θ stays finite in Algorithm 1.
LARGEST = 1e150


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What Algorithm 1 and other methods take beside a model, θ(0) and seeds; names as in `sac`, all of it checked.

    Raises TypeError for the wrong kind of number and ValueError for one out of range.
    """

    kappa: int
    M: int = 1
    T: int = 1
    h: float = 1.0
    t0: float = 1.0
    eta: float = 1.0
    record_every: int | None = None
    warm_start: bool = False
    lambda_: float = 0.0
    baseline: bool = False
    epsilon: float = 0.0

    def __post_init__(self) -> None:
        for name in ("warm_start", "baseline"):
            flag = getattr(self, name)
            if not isinstance(flag, (bool, np.bool_)):
                raise TypeError(f"{name} must be True or False, got {flag!r}")
        if not 0.0 <= number("lambda_", self.lambda_) <= 1.0:
            raise ValueError(f"lambda_ must lie in [0, 1], got {self.lambda_!r}")
        for name, least in (("kappa", 0), ("M", 1), ("T", 1), ("record_every", 1)):
            if name != "record_every" or self.record_every is not None:
                object.__setattr__(self, name, integer(name, getattr(self, name), least))
        for name in ("h", "t0", "eta"):
            if positive(name, size := getattr(self, name)) > LARGEST:
                raise ValueError(f"{name} must be at most {LARGEST:g}, so that steps stay finite, got {size!r}")
        convex(self.h, self.t0)
        mixture(self.epsilon)
        for name in ("h", "t0", "eta", "lambda_", "epsilon"):
            object.__setattr__(self, name, float(getattr(self, name)))

    @property
    def every(self) -> int:
        """Outer iterations between two records of θ; by default about a hundred are kept."""
        return self.record_every or -(-self.M // 100)

    @property
    def records(self) -> int:
        """How many `stops` there are."""
        return -(-self.M // self.every) + 1

    @property
    def stops(self) -> list[int]:
        """The outer iterations at which θ is recorded."""
        return [*range(0, self.M, self.every), self.M]


def check_seed(seed: int) -> int:
    """The seed, refused unless it is an integer in 0..2^64-1."""
    integer("seed", seed, 0)
    if seed >= 1 << 64:
        raise ValueError(f"seed must lie in 0..2^64-1, got {seed}")
    return int(seed)


def check_theta0(theta0: Theta, simulator: Sized) -> tuple[Array, ...]:
    """θ(0) as float64 blocks (S_i, A_i); ValueError names the agent whose block is wrong."""
    blocks = check_theta(simulator, theta0, "theta0")
    if np.isfinite(np.concatenate([theta_i.ravel() for theta_i in blocks])).all():
        return blocks
    for i, theta_i in enumerate(blocks):
        wrong = np.isnan(theta_i) | (theta_i == np.inf) | np.isneginf(theta_i).all(axis=1, keepdims=True)
        if wrong.any():
            entry = tuple(int(k) for k in np.argwhere(wrong)[0])
            raise ValueError(
                f"theta0[{i}] of agent {i} has logit {theta_i[entry]} at {entry}; expected finite logits, or -inf for "
                "some but not all actions of a state"
            )
    return blocks
