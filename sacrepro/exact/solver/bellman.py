"""V_i^θ by value iteration with MacQueen bounds, BiCGSTAB or a dense solution, with a certificate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np

from sacrepro.exact.chain import Chain
from sacrepro.exact.product.elimination import elimination_order
from sacrepro.exact.product.matrix import Matrix, product_roundings
from sacrepro.exact.product.operator import FactoredOperator
from sacrepro.exact.rounding import UNIT, gamma_k, sup
from sacrepro.exact.solver.krylov import kept_entries, krylov_start, solve_correction
from sacrepro.exact.symmetry import renamed
from sacrepro.model.checks import Array
from sacrepro.model.memory import allowed_bytes, demand, readable_count

#: The error that is certified where no other is asked for, or what rounding allows where that is more.
DEFAULT_TOL = 1e-10

#: Several agents are iterated together while their tables stay below this many entries.
BATCH_ENTRIES = 1 << 14

#: Below this many joint states a good first iterate saves less than it costs to prepare.
START_ENTRIES = 1 << 14

#: Value iteration gives way to BiCGSTAB when it would need this many more products.
PATIENCE = 60

#: How often a solution of the linear system is refined by its residual: near γ = 1 once or twice, else never.
REFINEMENTS = 3

#: Steps of the first BiCGSTAB; twice as many each time that it does not halve the residual.
KRYLOV_STEPS = 60

#: A certificate up to this many times what rounding alone costs is not worth more products.
NOISE = 8.0

#: How often tables are centred before an error above the tolerance is put down to rounding.
MOST_RESTS = 4

#: Agents whose value functions are averaged.
Group = tuple[int, ...]


def check_tol(tol: float | None) -> None:
    """TypeError or ValueError unless `tol` is None or a finite number above 0."""
    if tol is None:
        return
    if isinstance(tol, bool) or not isinstance(tol, (int, float, np.integer, np.floating)):
        raise TypeError(f"tol must be a number, got {tol!r}")
    if not 0 < tol < math.inf:
        raise ValueError(f"tol must be positive and finite, got {tol!r}")


def demand_value_tables(
    hoods: tuple[tuple[int, ...], ...], sizes: tuple[int, ...], memory_limit: int | None, tables: int
) -> None:
    """MemoryError unless `tables` value tables over the states and the work space of one product fit."""
    size = math.prod(sizes)
    needed, allowed = 8 * size * (tables + 4), allowed_bytes(memory_limit)
    needed += 8 * kept_entries(size) if size >= START_ENTRIES else 0
    peak = elimination_order(hoods, sizes).peak if needed <= allowed else size
    needed += 24 * peak
    fit = max(allowed * size // needed, 1)
    demand(
        f"{tables} value tables over {readable_count(size)} joint states, with intermediate tables of "
        f"{readable_count(peak)} entries or more,",
        needed,
        memory_limit,
        f"about {readable_count(fit)} joint states would fit on such a graph; "
        "one agent of a larger network is a matter of sacrepro.exact.local_value and local_decay",
    )


def values(
    chain: Chain, tol: float | None, agents: Sequence[int] | None = None, best: float = DEFAULT_TOL
) -> tuple[Array, float, int]:
    """(V, error, products): V_i^θ for each of `agents`, shape (agents, Π S_j) in the agents' own order."""
    agents = range(chain.n) if agents is None else agents
    if chain.matrix is not None or len(agents) == 1:
        return mean_values(chain, tol, [(i,) for i in agents], best)
    solved = sorted({chain.images[i][0] for i in agents})
    V, error, products = mean_values(chain, tol, [(i,) for i in solved], best)
    if solved == list(agents):
        return V, error, products
    tables = np.empty((len(agents), *chain.sizes))
    for table, i in zip(tables, agents, strict=True):
        source, phi = chain.images[i]
        table[...] = renamed(V[solved.index(source)].reshape(chain.sizes), phi)
    return tables.reshape(len(agents), -1), error, products


def mean_values(
    chain: Chain, tol: float | None, groups: Sequence[Group], best: float = DEFAULT_TOL
) -> tuple[Array, float, int]:
    """(V, error, products): (1/|G|) Σ_{i∈G} V_i^θ for each group G, shape (groups, Π S_j); one solve a group.

    V̄ = (1/n) Σ_i V_i^θ of eqs. (2) and (4) is that of all agents. `error` bounds every entry, rounding included.
    tol : None for `best`, or what rounding allows.
    """
    check_tol(tol)
    goal = best if tol is None else tol
    if chain.matrix is not None:
        V, error, products = _solution(chain, chain.matrix, groups, goal)
        if error <= goal or tol is None:
            return V, error, products
    batch = max(1, BATCH_ENTRIES // chain.entries)
    V, room = np.empty((len(groups), chain.entries)), np.empty((2, min(batch, len(groups)), chain.entries))
    error, products = 0.0, 0
    for start in range(0, len(groups), batch):
        chunk = list(groups[start : start + batch])
        iteration = _Iteration(chain, chunk, goal, room[:, : len(chunk)])
        table, shift, chunk_error, count = iteration.solution(tol is None)
        natural = chain.operator.from_memory(table, (len(chunk),))
        shift = shift.reshape(-1, *(1,) * len(chain.sizes))
        np.add(natural, shift, out=V[start : start + len(chunk)].reshape(natural.shape))
        error, products = max(error, chunk_error), max(products, count)
    return V, error, products


class _Certificate(NamedTuple):
    """V_i^θ lies within `error` of (the new iterate + shift), for each agent; `floor` is what rounding alone costs."""

    shift: Array
    error: Array
    floor: Array


def _solution(chain: Chain, matrix: Matrix, groups: Sequence[Group], tol: float) -> tuple[Array, float, int]:
    """As `mean_values`, from the linear system; the error is certified, within `tol` unless rounding is what is left.

    |V_i - V| ≤ max |r + γ P V - V| Σ_t γ^t, as computed and with what its rounding may hide.
    """
    gamma, rewards = chain.gamma, chain.joint_rewards
    chain.discount_range()  # refuses what makes I - γP^θ singular
    if groups != [(i,) for i in range(chain.n)]:
        rewards = np.stack([rewards[list(group)].sum(axis=0) / len(group) for group in groups])
    V, center, shift, products = matrix.values(rewards), 0.0, 0.0, 0
    while True:
        delta = V @ matrix.P.T
        delta *= gamma
        delta += rewards
        delta -= V + (1.0 - gamma) * center if products else V
        products += 1
        size, residual = np.abs((V, delta)).max(axis=(1, 2)).tolist()
        error, rounding = residual_error(chain, groups, residual, size, shift)
        if error <= tol or (products > 1 and residual <= 0.1 * rounding) or products > REFINEMENTS:
            return V if products == 1 else V + center, error, products
        # Constants cost nothing, and small numbers round less.
        V += matrix.values(delta)
        middle = 0.5 * (V.min(axis=1, keepdims=True) + V.max(axis=1, keepdims=True))
        V -= middle
        center = center + middle
        shift = sup(center)


def residual_error(
    chain: Chain, groups: Sequence[Group], residual: Any, size: Any, shift: float = 0.0
) -> tuple[Any, Any]:
    """(error, rounding): how far V + c is from its value function, for |r + γ P V - V - (1-γ) c| ≤ residual.

    Of a product with the matrix P; size, shift : the largest |V| and |c|. rounding : what the residual as computed may
    hide. Numbers, or arrays of one entry a policy.
    """
    gamma, (row_low, row_high), largest = chain.gamma, chain.row_sums, chain.discount_range()[1]
    reward = max([chain.reward_sizes[i] for group in groups for i in group])
    # A mean over a group adds its division and sums; eight are those of the sums, each of a table and a number.
    k = product_roundings(chain.sizes) + chain.kernel_roundings + chain.reward_roundings + max(map(len, groups)) + 8
    rounding = gamma_k(k) * (row_high * size + reward) + gamma_k(8) * (size + (1.0 - gamma) * shift)
    off_centre = max(row_high - 1.0, 1.0 - row_low) * shift
    error = (residual + rounding + off_centre) * largest + UNIT * (size + shift)
    return error * (1.0 + 1e-9), rounding


class _Iteration:
    """Value iteration for means of V_i^θ over a few groups, (len(groups), Π S_j) in memory order.

    means    : r^θ of each group of several agents. V, spare : the iterate, and room for the next, both in `room`.
    center   : what was taken from each row of V; the value function judged is V + center.
    operator : P^θ, from the second rest on with the fewest roundings. products : taken so far.
    spans    : the span of δ = T V - V after each product since V was last changed by anything else.
    rests    : how often rounding was all that was left.
    steps    : of the next BiCGSTAB, and wait : how many products come first.
    corrected_at : how far V was when BiCGSTAB helped last, ∞ where it has not since the last rest.
    started_at : how far V was when powers of P were last combined, ∞ before the first product.
    """

    def __init__(self, chain: Chain, groups: list[Group], tol: float, room: Array) -> None:
        self.chain, self.groups, self.tol = chain, groups, tol
        self.operator, self.products = chain.operator, 0
        self.V, self.spare = room
        self.means: list[Array | None] = [None] * len(groups)
        for row, group in enumerate(groups):
            axes = self.operator.memory_in
            if len(group) == 1:
                axes = tuple(j for j in axes if j in chain.reward_hoods[group[0]])
            reward = np.zeros(math.prod(chain.sizes[j] for j in axes))
            for i in group:
                _add_reward(reward, chain.rewards[i] / len(group), axes, chain, i)
            if len(group) > 1:
                self.means[row] = reward
            if chain.entries >= START_ENTRIES:
                self.products = max(self.products, krylov_start(chain, axes, reward, tol, self.V[row]))
            else:
                self.V[row] = 0.0
        self.center = np.zeros(len(groups))
        self.spans: list[float] = []
        self.rests, self.steps, self.wait = 0, KRYLOV_STEPS, 0
        self.corrected_at = self.started_at = math.inf

    def solution(self, settle: bool) -> tuple[Array, Array, float, int]:
        """(V, what its rows lack, error, products), within `tol`; settle : or within what rounding allows."""
        gamma, tol = self.chain.gamma, self.tol
        while True:
            T_V = _bellman(self.chain, self.groups, self.means, self.operator, self.V, self.spare)
            self.products += 1
            delta = np.subtract(T_V, self.V, out=self.V)
            low, high = delta.min(axis=1), delta.max(axis=1)
            self.spans.append(float((high - low).max()))
            distance = 0.5 * gamma * self.spans[-1] * self.chain.discount_range()[1]
            stuck = self._is_stuck(distance)
            at_rest = False
            if distance <= tol or stuck:
                certificate = _certify(self.chain, self.groups, self.operator.roundings, T_V, low, high, self.center)
                # A slow chain is stuck as well; only rounding that makes up a good part of the error is a reason to
                # stop.
                noise = bool((certificate.error <= NOISE * certificate.floor).all())
                at_rest = distance <= 0.1 * tol or (stuck and noise)
                exhausted = at_rest and self.rests >= MOST_RESTS and float(certificate.floor.max()) > 0.4 * tol
                if (certificate.error <= tol).all() or (exhausted and settle):
                    return T_V, certificate.shift, float(certificate.error.max()), self.products
                if exhausted:
                    self._give_up(certificate)
            if at_rest:
                self._centre(T_V)
            elif self._may_start_again(distance):
                self._start_again(delta, T_V)
            elif self._is_slow():
                delta -= (0.5 * (low + high))[:, None]
                self._correct(delta, T_V, distance)
            self.V, self.spare = T_V, delta

    def _may_start_again(self, distance: float) -> bool:
        """Whether the powers of P are worth another try, on what the last left: the first, or one that quartered it."""
        if self.chain.entries < START_ENTRIES or len(self.spans) > 1 or self.rests or distance <= 3.0 * self.tol:
            return False
        helped, self.started_at = distance < 0.25 * self.started_at, distance
        return helped

    def _start_again(self, delta: Array, T_V: Array) -> None:
        """Add to V = T_V - δ the best combination of δ, P δ, P² δ, …, for V^θ - V = Σ_t γ^t P^t δ."""
        T_V -= delta
        for residual, row in zip(delta, T_V, strict=True):
            self.products += krylov_start(self.chain, self.operator.memory_in, residual, self.tol, residual)
            row += residual
        self.spans.clear()

    def _is_stuck(self, distance: float) -> bool:
        """Whether products no longer help, or the last BiCGSTAB did not as much as it promised."""
        return _no_progress(self.spans) or (len(self.spans) >= 3 and distance > 0.5 * self.corrected_at)

    def _is_slow(self) -> bool:
        """Whether BiCGSTAB is worth a try: after one that helped, or where value iteration would take too long."""
        if self.rests > MOST_RESTS or len(self.spans) < self.wait:
            return False
        helped = self.corrected_at < math.inf and len(self.spans) >= 3
        return helped or _remaining_products(self.spans, self.tol, self.chain.gamma) > PATIENCE

    def _centre(self, T_V: Array) -> None:
        """Rounding is what is left: centre the tables, then take fewer roundings."""
        self.rests += 1
        if self.rests == 2:
            self.operator = self.chain.careful_operator
        middle = 0.5 * (T_V.min(axis=1) + T_V.max(axis=1))
        T_V -= middle[:, None]
        self.center = self.chain.gamma * self.center + middle
        self.spans.clear()
        self.corrected_at = math.inf

    def _give_up(self, certificate: _Certificate) -> NoReturn:
        agents = sorted({i for group in self.groups for i in group})
        raise ValueError(
            f"tol = {self.tol!r} is below what rounding allows for agents {agents}; "
            f"attainable: tol = {1.5 * float(certificate.error.max()):.2g}"
        )

    def _correct(self, delta: Array, T_V: Array, distance: float) -> None:
        """BiCGSTAB on every row; delta : centred. Where it does not help, T_V stays as it is."""
        gamma, operator, rows = self.chain.gamma, self.operator, range(len(self.groups))
        tried = [
            solve_correction(gamma, operator, delta[row], T_V[row], self.tol, self.steps, self.steps > KRYLOV_STEPS)
            for row in rows
        ]
        self.products += max(count for count, _ in tried)
        if all(helped for _, helped in tried):
            self.corrected_at = distance
        else:
            # Value iteration, which always helps, gets as many products as the next try.
            self.steps *= 2
            self.wait = self.steps
        self.spans.clear()


def _bellman(
    chain: Chain, groups: list[Group], means: list[Array | None], operator: FactoredOperator, V: Array, out: Array
) -> Array:
    """r^θ + γ P^θ V for each row, r^θ the mean over its group, as a table in `means` or of one agent; into `out`."""
    operator.forward(V, out)
    out *= chain.gamma
    for row, group in enumerate(groups):
        mean = means[row]
        if mean is None:
            _add_reward(out[row], chain.rewards[group[0]], operator.memory_out, chain, group[0])
        else:
            out[row] += mean
    return out


def _add_reward(table: Array, reward: Array, axes: tuple[int, ...], chain: Chain, i: int) -> None:
    """Add a multiple of r_i^θ, over `reward_hoods[i]`, to a flat table over `axes`, in place."""
    sizes, hood = chain.sizes, chain.reward_hoods[i]
    if len(hood) == 1:
        after = math.prod(sizes[j] for j in axes[axes.index(hood[0]) + 1 :])
        shaped = table.reshape(-1, sizes[hood[0]], after)
        shaped += reward[:, None]
        return
    own = [j for j in axes if j in hood]
    ordered = reward.transpose([hood.index(j) for j in own])
    shaped = table.reshape([sizes[j] for j in axes])
    shaped += ordered.reshape([sizes[j] if j in hood else 1 for j in axes])


def _certify(
    chain: Chain, groups: Sequence[Group], roundings: int, T_V: Array, low: Array, high: Array, center: Array
) -> _Certificate:
    """MacQueen's interval around T_V + γ·center, rounding included.

    roundings : of a product. low, high : least and largest entry of T_V - V for each row, as computed; the value
    function judged is V + center.
    """
    gamma = chain.gamma
    least, largest = chain.discount_range()
    row_low, row_high = chain.row_sums
    k = roundings + chain.kernel_roundings + 4
    reward = np.array([max(chain.reward_sizes[i] for i in group) for group in groups])
    # A mean over a group adds its divisions and sums.
    reward_k = chain.reward_roundings + max(map(len, groups))
    size = np.maximum(T_V.max(axis=1), -T_V.min(axis=1)) + np.maximum(-low, high)
    epsilon = gamma_k(k) * (gamma * row_high * size + size) + reward * gamma_k(k + reward_k)
    epsilon = epsilon + gamma * np.abs(center) * max(abs(row_high - 1.0), abs(row_low - 1.0))
    lower = low - (1.0 - gamma) * center - epsilon
    upper = high - (1.0 - gamma) * center + epsilon
    lower = np.minimum(lower * (largest - 1.0), lower * (least - 1.0))
    upper = np.maximum(upper * (largest - 1.0), upper * (least - 1.0))
    shift = 0.5 * (lower + upper) + gamma * center
    rounding = epsilon + 8 * UNIT * (size + np.abs(center) + np.abs(lower) + np.abs(upper))
    # How far Σ_t γ^t (P^θ)^t 1 is known is a matter of the rows, and no product makes it better.
    unknown = 0.25 * np.abs(low + high) * (largest - least)
    floor = (epsilon * (largest - 1.0) + unknown + rounding) * (1.0 + 1e-9)
    return _Certificate(shift, (0.5 * (upper - lower) + rounding) * (1.0 + 1e-9), floor)


def _no_progress(spans: list[float]) -> bool:
    """Whether the last ten products left the span of δ where it was: a slow chain, or rounding noise."""
    return len(spans) > 10 and spans[-1] >= 0.99 * spans[-11]


def _remaining_products(spans: list[float], tol: float, gamma: float) -> float:
    """Products that value iteration still needs at the pace of the last eight; 0 while that is unknown."""
    if len(spans) < 14 or spans[-1] == 0.0:
        return 0.0
    pace = np.log(spans[-9] / spans[-1]) / 8.0
    distance = np.log(max(spans[-1] * gamma / (2.0 * (1.0 - gamma) * tol), 1.0))
    return float("inf") if pace <= 0 else float(distance / pace)
