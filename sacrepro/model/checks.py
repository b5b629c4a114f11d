"""What a user gives, checked: arrays, distributions, discounts, start laws. Refusals name agent and entry."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Real
from typing import Any, NoReturn, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

#: float64 arrays; shapes are in the docstrings.
Array = NDArray[Any]

#: A distribution may miss 1 by this much; what misses by more than its own rounding is divided by its sum.
NORMALISATION_TOLERANCE = 1e-12

#: What rows of single and of half precision miss of 1.
SINGLE_PRECISION, HALF_PRECISION = 1e-6, 4e-3

#: Agents of N_i whose sizes an error shows.
SHOWN = 4

#: Largest r̄/(1-γ)², the scale of what is computed; the bounds square it.
LARGEST_SCALE = 1e150

#: Largest rewards of an agent below this and above 0 are refused: certificates are shares of them, and what underflow
#: adds to each of a million roundings, 2^-1074, must be less than u of them.
LEAST_REWARD = 2.0**-1000


def start(pi0: object, sizes: tuple[int, ...]) -> tuple[Array, ...] | Array:
    """π_0 checked and frozen: marginals of shape (S_i,), or one joint array of shape (S_0, …, S_{n-1})."""
    if isinstance(pi0, np.ndarray) and pi0.ndim == 2 and len(pi0) == len(sizes) and _rows_of(pi0):
        raise ValueError(f"joint pi0 has shape {pi0.shape}, but every row sums to 1; pass marginals as tuple(pi0)")
    return _joint(pi0, sizes) if isinstance(pi0, np.ndarray) else marginals(pi0, sizes)


def _rows_of(pi0: Array) -> bool:
    return pi0.dtype.kind in "fiub" and len(pi0) > 1 and bool((np.abs(pi0.sum(axis=1) - 1.0) <= SINGLE_PRECISION).all())


def marginals(pi0: object, sizes: tuple[int, ...]) -> tuple[Array, ...]:
    """π_0 as marginals of shape (S_i,), checked and frozen."""
    laws = local_tables("pi0", pi0, len(sizes))
    for i, pi0_i in enumerate(laws):
        if pi0_i.shape != (sizes[i],):
            raise ValueError(f"{wrong_shape('pi0', i, pi0_i, (sizes[i],))}: (S_{i},), read off r[{i}]")
    return distributions("pi0", laws)


def local_tables(name: str, tables: object, n: int, instead: str = "") -> tuple[Array, ...]:
    """One frozen float64 copy an agent, entries finite and at least 0; a table given to many agents is copied once.

    instead : what to do about negative entries, for the message.
    """
    if not isinstance(tables, (tuple, list)):
        told = _listed(name, tables)
        raise TypeError(f"{name} must be a tuple or list with one array for each of the {n} agents{told}")
    if len(tables) != n:
        raise ValueError(f"{name} holds {len(tables)} arrays, but the graph has {n} agents")
    copies: dict[int, Array] = {}
    for i, table in enumerate(tables):
        if id(table) not in copies:
            copies[id(table)] = _copy(f"{name}[{i}] of agent {i}", table)
    frozen = tuple(copies[id(table)] for table in tables)
    for i, entry in _first_fault(frozen, lambda array: ~(np.isfinite(array) & (array >= 0))):
        _refuse_entry(f"{name}[{i}] of agent {i}", frozen[i], entry, instead)
    return frozen


def real(what: str, values: object) -> Array:
    """`values` as float64, not copied where they are that; TypeError for text, complex numbers and what is no array."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        entry = tuple(int(k) for k in np.argwhere(np.ma.getmaskarray(values))[0])
        raise ValueError(f"{what} is masked at {entry}: every entry needs a number, as .filled(value) gives it one")
    if hasattr(values, "toarray"):
        raise TypeError(f"{what} is a sparse {type(values).__name__}; pass .toarray()")
    try:
        array = np.asarray(values)
    except (ValueError, RuntimeError) as error:
        raise TypeError(f"{what} must hold real numbers: {error}") from None
    objects = array.dtype.kind == "O" and all(isinstance(x, Real) for x in array.flat)
    if array.dtype.kind not in "fiub" and not objects:
        told = repr(values) if isinstance(values, (str, bytes, complex, type(None))) else f"type {array.dtype}"
        raise TypeError(f"{what} must hold real numbers, got {told}")
    try:
        with np.errstate(over="ignore"):  # of long doubles: what is too large becomes infinite
            return array.astype(np.float64, copy=False)
    except OverflowError:
        raise ValueError(f"{what} has an integer beyond the largest float, {np.finfo(float).max:.3g}") from None


def action_tables(
    name: str, tables: object, state_sizes: Sequence[int], action_sizes: Sequence[int]
) -> tuple[Array, ...]:
    """One float64 array of shape (S_i, A_i) an agent; TypeError or ValueError names the agent whose table is not."""
    found = one_an_agent(name, tables, len(state_sizes))
    sizes = zip(state_sizes, action_sizes, strict=True)
    return tuple(action_table(name, i, found[i], expected) for i, expected in enumerate(sizes))


def is_listed(value: object) -> TypeGuard[Sequence[Any] | Array]:
    """Whether `value` is a sequence, but no text, or an array with an axis."""
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def one_an_agent(name: str, tables: object, n: int | None = None) -> Sequence[Array] | Array:
    """`tables` itself; TypeError or ValueError unless it is a sequence of one entry for each of n agents, if given."""
    if not is_listed(tables):
        told = type(tables).__name__
        raise TypeError(f"{name} must be a sequence of arrays, one an agent, got {told}{_listed(name, tables)}")
    if n is not None and len(tables) != n:
        raise ValueError(f"{name} holds {len(tables)} arrays, but there are {n} agents")
    return tables


def _listed(name: str, tables: object) -> str:
    """What to do about a mapping from agents to arrays."""
    return f"; of a dict by agent pass [{name}[i] for i in range({len(tables)})]" if isinstance(tables, Mapping) else ""


def action_table(name: str, i: int, table: object, expected: tuple[int, int]) -> Array:
    """The table of agent i as float64 of the shape (S_i, A_i) that is expected; errors name the agent."""
    if type(table) is np.ndarray and table.dtype == np.float64 and table.shape == expected:
        return table  # most calls, and no text is made for them
    block = real(f"{name}[{i}] of agent {i}", table)
    if block.shape != expected:
        raise ValueError(f"{wrong_shape(name, i, block, expected)}: (S_{i}, A_{i})")
    return block


def distributions(name: str, tables: tuple[Array, ...]) -> tuple[Array, ...]:
    """Tables whose last axis sums to 1 up to rounding; what misses it by more than the tolerance is refused.

    Rows in between, as files with twelve digits have them, are divided by their sum. Errors name agent and row.
    """
    for i, row in _first_fault(tables, lambda array: np.abs(array.sum(axis=-1) - 1.0) > NORMALISATION_TOLERANCE):
        where = f" in row {row}" if row else ""
        law = tables[i][row]
        raise ValueError(f"{name}[{i}] of agent {i} sums to {float(law.sum())!r}{where}, expected 1{_nearly(law)}")
    if not any(_first_fault(tables, _off_by_more_than_rounding)):
        return tables
    scaled = {id(table): normalised(table) for table in tables}
    return tuple(scaled[id(table)] for table in tables)


def _nearly(row: Array) -> str:
    """What to do about a row that misses 1 by what single precision or short decimals lose."""
    kinds = {"float16": (np.float16, HALF_PRECISION), "float32": (np.float32, SINGLE_PRECISION)}
    miss = abs(float(row.sum()) - 1.0)
    kind = next((name for name, (own, most) in kinds.items() if miss <= most and (row == row.astype(own)).all()), "")
    if not kind and miss > SINGLE_PRECISION:
        return ""
    single = f"the entries are those of {kind}; " if kind else ""
    return f"; {single}divide by the sum in float64: x = x.astype(float); x /= x.sum(axis=-1, keepdims=True)"


def _off_by_more_than_rounding(array: Array) -> NDArray[np.bool_]:
    return np.abs(array.sum(axis=-1) - 1.0) > 2.0 * (array.shape[-1] + 2) * np.finfo(float).eps


def normalised(table: Array) -> Array:
    """A frozen table whose rows that miss 1 by more than their rounding are divided by their sum."""
    off = _off_by_more_than_rounding(table)[..., None]
    scaled = np.where(off, table / table.sum(axis=-1, keepdims=True), table)
    scaled.setflags(write=False)
    return scaled


def _first_fault(
    tables: tuple[Array, ...], faulty: Callable[[Array], NDArray[np.bool_]]
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The first agent whose table `faulty` marks, and the entry; tables of one shape are judged at once."""
    first_agent: dict[int, int] = {}
    for i, table in enumerate(tables):
        first_agent.setdefault(id(table), i)
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for i in first_agent.values():
        by_shape.setdefault(tables[i].shape, []).append(i)
    found = []
    for agents in by_shape.values():
        marked = faulty(np.stack([tables[i] for i in agents]))
        where = np.flatnonzero(marked.reshape(len(agents), -1).any(axis=1))
        if len(where):
            entry = tuple(int(k) for k in np.argwhere(marked[where[0]])[0])
            found.append((agents[where[0]], entry))
    yield from sorted(found)[:1]


def _joint(table: Array, sizes: tuple[int, ...]) -> Array:
    pi0 = _copy("joint pi0", table)
    if pi0.shape != sizes:
        raise ValueError(f"joint pi0 has shape {pi0.shape}, expected {sizes}: one axis per agent, S_i read off r[i]")
    bad = ~(np.isfinite(pi0) & (pi0 >= 0))
    if bad.any():
        _refuse_entry("joint pi0", pi0, tuple(int(k) for k in np.argwhere(bad)[0]))
    if abs(pi0.sum() - 1.0) > NORMALISATION_TOLERANCE:
        raise ValueError(f"joint pi0 sums to {float(pi0.sum())!r}, expected 1")
    return normalised(pi0.ravel()).reshape(sizes)


def _copy(what: str, table: object) -> Array:
    array = np.array(real(what, table))
    array.setflags(write=False)
    return array


def _refuse_entry(what: str, array: Array, entry: tuple[int, ...], instead: str = "") -> NoReturn:
    value = float(array[entry])
    told = f"; {instead}" if instead and -math.inf < value < 0 else ""
    raise ValueError(f"{what} has entry {value!r} at {entry}; entries must be finite and at least 0{told}")


def integer(name: str, value: object, least: int) -> int:
    """The value, refused unless it is an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return int(value)


def number(name: str, value: object) -> float:
    """The value, refused unless it is a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be a number, got {value!r}")
    return cast(float, value)


def positive(name: str, value: object) -> float:
    """The value, refused unless it is a finite number above 0."""
    found = number(name, value)
    if not (math.isfinite(found) and found > 0):
        raise ValueError(f"{name} must be finite and above 0, got {value!r}")
    return found


def convex(h: float, t0: float) -> None:
    """ValueError if h > t0: what runs refuse, and exact laws of Algorithm 1 compute as printed."""
    if h > t0:
        raise ValueError(
            f"h = {h} and t0 = {t0} give the step size α_0 = h/t0 = {h / t0:.6g}, but line 7 is a convex "
            "combination: h must be at most t0"
        )


def probabilities(name: str, values: object, of: str) -> Array:
    """`values` as float64, refused unless they are a sequence of probabilities; of : what has one each."""
    if not is_listed(values):
        raise TypeError(f"{name} must hold one probability for each {of}, got {shortened(values)}")
    for k, value in enumerate(values):
        found = real(f"{name}[{k}] of {of} {k}", value)
        if found.ndim or not 0.0 <= found <= 1.0:
            raise ValueError(f"{name} must hold probabilities in [0, 1], got {found.tolist()!r} of {of} {k}")
    return np.array(values, dtype=np.float64)


def mixture(epsilon: object) -> float:
    """ε of policies (1-ε) softmax + ε uniform, refused unless it is a number in [0, 1)."""
    found = number("epsilon", epsilon)
    if not 0.0 <= found < 1.0:
        raise ValueError(f"epsilon must lie in [0, 1), got {epsilon!r}; at 1 the policies would not depend on θ")
    return found


def check_least(r: Sequence[Array]) -> None:
    """ValueError names an agent whose rewards are not all 0, but of which none reaches `LEAST_REWARD`."""
    for i, r_i in enumerate(r):
        if 0.0 < (most := float(r_i.max())) < LEAST_REWARD:
            raise ValueError(
                f"r[{i}] of agent {i} has no entry above {most!r}, and below {LEAST_REWARD:.2g} numbers have too few "
                "digits for certificates: multiply all rewards by a constant, and V_i and J are as much larger"
            )


def discount(gamma: float) -> float:
    """γ, refused unless it is a number in [0, 1)."""
    if isinstance(gamma, bool) or not isinstance(gamma, (int, float, np.integer, np.floating)):
        raise TypeError(f"gamma must be a number in [0, 1), got {gamma!r}")
    if not 0.0 <= gamma < 1.0:
        ends = "; for episodes that end give agents a state that nothing leaves and that pays nothing" * (gamma == 1.0)
        raise ValueError(f"gamma must lie in [0, 1), got {gamma!r}{ends}")
    return float(gamma)


def wrong_shape(name: str, i: int, table: Array, expected: object) -> str:
    """What is wrong with one agent's table whose shape is not the expected one."""
    return f"{name}[{i}] of agent {i} has shape {table.shape}, expected {expected}"


def sizes_of_rewards(i: int, hood: Sequence[int], state_sizes: Sequence[int], action_sizes: Sequence[int]) -> str:
    """Where the sizes that a shape of agent i is held to were read: a wrong table of rewards shows in other tables."""
    agents = [i, *(j for j in hood if j != i)]
    told = [f"S_{j} = {state_sizes[j]} and A_{j} = {action_sizes[j]} off r[{j}]" for j in agents[:SHOWN]]
    more = ["…"] if len(agents) > SHOWN else []
    return f"sizes are read off the rewards, {', '.join(told + more)}: one of these tables may be the wrong one"


def shortened(value: object) -> str:
    """`value` as a reader should see it in one line."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
