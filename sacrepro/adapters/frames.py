"""pandas: results as tidy tables, one number a row, with the names of a network file where there are any.

`pip install -e '.[pandas]'` brings the library.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sacrepro.archive.files import numeral, read_lines
from sacrepro.exact.decay.profile import DecayBounds, DecayProfile
from sacrepro.exact.optimum import OptimalityGap, Optimum
from sacrepro.exact.values import ObjectiveGradient, PolicyEvaluation, PolicyEvaluations
from sacrepro.learn.problem import SACTrace
from sacrepro.model.checks import Array
from sacrepro.model.graph import check_agents, check_kappas, sphere_sizes
from sacrepro.model.notices import brought_by
from sacrepro.model.policy import Policy

with brought_by("pandas"):
    import pandas as pd

#: What rounding may add to D_i(κ) and V_i, as a share of the largest.
NOISE = 1e-6

#: Rows of a table that are made; beyond, the arrays are what to work with.
MOST_ROWS = 10_000_000


def to_frame(
    result: object,
    mdp: object = None,
    *,
    agents: Sequence[int] | None = None,
    kappas: Sequence[int] | None = None,
) -> pd.DataFrame:
    """A result as a `pandas.DataFrame` with the default index; its columns, by what `result` is:

    * `evaluate(…)`: agent, label, one column ``s[label]`` an agent, value (V_i(s)), error. `evaluate_many(…)`: policy
      in front. `best_localized(…)`, `best_joint(…)`: J, J_error, J_high, parts. `optimality_gap(…)`: to, low, high, J,
      J_error and J_high, a row for each yardstick.
    * `decay_profile(…)`, or a part of it with `kappas`: agent, label, kappa, value (D_i(κ)). `certified_decay(…)`: also
      lower, upper and error, value being the middle and error half the width.
    * blocks (S_i, A_i), such as θ, ∇J, ĥ or a `Policy` (whose values are ζ_i(a|s)): agent, label, state, action,
      value. `objective_and_gradient(…)`: also error. Blocks (records, S_i, A_i), as `trace.thetas`: record in front.
    * the trace of a learner: m, J_estimate, first_visit_share, one row an outer iteration.
    * a list of records, such as `advice.rows`, `trained.runs` and `evaluation.agents` of the adviser: their fields.
    * the name of a csv file of the study, such as ``results/claims.csv``: its columns; a damaged file is refused.

    mdp    : whose names are used: what `sacrepro.load` returns, or of agents alone the simulator of a `ParallelEnv`;
        without one, and for models, names are numbers.
    agents, kappas : those that `certified_decay`, or `evaluate`, was asked for; by default all, and 0, 1, …, the
    diameter.

    Raises TypeError for what is none of these, FileNotFoundError for the name of a file that is not there, ValueError
    where result and mdp do not fit or a table has more than 10,000,000 rows.

    >>> from sacrepro import decay_profile, uniform_theta
    >>> from sacrepro.instances.relay import relay
    >>> mdp = relay(3, gamma=0.5)
    >>> to_frame(decay_profile(mdp, uniform_theta(mdp))).query("agent == 2").value.round(6).tolist()
    [1.0, 0.5, 0.0]
    """
    names = _Names(mdp)
    if isinstance(result, (str, Path)):
        return _file(result)
    if isinstance(result, SACTrace):
        rows = {"m": np.arange(len(result.J_estimate)), "J_estimate": result.J_estimate}
        return pd.DataFrame(rows | {"first_visit_share": result.first_visit_share})
    if isinstance(result, PolicyEvaluation):
        return _values(result.V, result.error, names, agents)
    if isinstance(result, PolicyEvaluations):
        _demand(result.V.size)
        each = [_values(V, error, names) for V, error in zip(result.V, result.error, strict=True)]
        return pd.concat([table.assign(policy=k) for k, table in enumerate(each)], ignore_index=True)[
            ["policy", *each[0].columns]
        ]
    if isinstance(result, Optimum):
        return pd.DataFrame([result._asdict()]).drop(columns="policy")
    if isinstance(result, OptimalityGap):
        best = {"localized": (result.to_localized, result.localized), "joint": (result.to_joint, result.joint)}
        return pd.DataFrame(
            [
                {"to": name, "low": low, "high": high, "J": own.J, "J_error": own.J_error, "J_high": own.J_high}
                for name, ((low, high), own) in best.items()
            ]
        )
    if isinstance(result, DecayBounds):
        lower, upper = result
        ends = {"lower": lower, "upper": upper, "value": 0.5 * (lower + upper), "error": 0.5 * (upper - lower)}
        return _decay(ends, names, agents, kappas, kappas is None)
    if isinstance(result, np.ndarray) and result.ndim == 2:
        whole = isinstance(result, DecayProfile)
        table = _decay({"value": np.asarray(result)}, names, agents, kappas, whole)
        named = zip((agents, kappas), result.shape, strict=True)
        if whole and any(own is not None and list(own) != list(range(size)) for own, size in named):
            raise ValueError(
                "decay_profile has a row for every agent and a column for every kappa, in their order: leave agents "
                "and kappas out, or pass a part of it, such as D[[2, 0]] with agents=[2, 0]"
            )
        if not (whole or (kappas is not None and (result >= 0).all())):
            raise ValueError(
                "an array of two axes is D_i(κ) if decay_profile returned it, or if kappas says which they are and no "
                "entry is below 0; this one is not: of one agent's block pass [block], of a law use pandas itself"
            )
        return table
    if isinstance(result, ObjectiveGradient):
        return _blocks(result.gradient, names).assign(error=result.gradient_error)
    if isinstance(result, Policy):
        return _blocks(result.zeta, names)
    if isinstance(result, (tuple, list)) and result and not hasattr(result, "_fields"):
        if all(isinstance(block, np.ndarray) and block.ndim in (2, 3) for block in result):
            return _blocks(result, names)
        if all(hasattr(row, "_fields") for row in result):
            return pd.DataFrame([row._asdict() for row in result])
    raise TypeError(
        f"no table is made of {type(result).__name__}; expected what evaluate, decay_profile, certified_decay, "
        "objective_and_gradient or a learner returns, blocks (S_i, A_i), a Policy, records or the name of a csv file"
    )


def _file(path: str | Path) -> pd.DataFrame:
    """The columns of a csv file, as numbers, digit by digit, where all of a column are."""
    columns, lines = read_lines(path)
    twice = next((name for k, name in enumerate(columns) if name in columns[:k]), None)
    if twice is not None:
        raise ValueError(f"{path} has two columns {twice!r}")
    table = pd.DataFrame([line for _, line in lines], columns=columns, dtype=object)
    return table.apply(_numbers)


def _numbers(column: pd.Series) -> pd.Series:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return column.map(lambda text, kind=kind: numeral(kind, text))
    return column


class _Names:
    """Names of agents, and of states and actions, of what has them; numbers elsewhere."""

    def __init__(self, mdp: Any) -> None:
        self.mdp, self.named = mdp, hasattr(mdp, "states")
        self.agents = getattr(mdp, "names", None)
        if mdp is not None and not hasattr(mdp, "state_sizes"):
            raise TypeError(f"expected a model or what sacrepro.load returns, got {type(mdp).__name__}")

    def agent(self, i: int) -> Any:
        return i if self.agents is None else self.agents[i]

    def states(self, i: int, size: int) -> Sequence[Any]:
        return self.mdp.states[i] if self.named else range(size)

    def actions(self, i: int, size: int) -> Sequence[Any]:
        return self.mdp.actions[i] if self.named else range(size)

    def check(self, what: str, found: Any, expected: str, *sizes: str) -> None:
        """ValueError unless the sizes found are those of the model, where there is one."""
        if self.mdp is None:
            return
        own = tuple(tuple(map(int, getattr(self.mdp, name))) for name in sizes) if sizes else len(self.mdp.state_sizes)
        if found != own:
            raise ValueError(f"{what} {found}, but the model has {own}: {expected}")

    def check_decay(self, D: Any, agents: Sequence[int], kappas: Sequence[int], whole: bool) -> None:
        """ValueError where lower bounds on D_i(κ), of all κ if `whole`, show that they are of another model."""
        if not hasattr(self.mdp, "graph"):
            return
        far = np.array([len(sphere_sizes(self.mdp.graph, i)) - 1 for i in agents])
        if whole and len(kappas) != far.max() + 1:
            raise ValueError(
                f"the array has columns for {len(kappas)} kappas, but the model {far.max() + 1}, up to its diameter: "
                "give those that were asked for as kappas"
            )
        self.check_values("D_i(κ)", D, 0.0)
        beyond = np.array(kappas) >= far[:, None]
        for row, column in np.argwhere(beyond & (NOISE * D.max() < D))[:1]:
            raise ValueError(
                f"D_i(κ) is {float(D[row, column])!r} for agent {self.agent(agents[row])!r} at κ = {kappas[column]}, "
                "beyond which it reaches nobody: the array is that of another model"
            )

    def check_values(self, what: str, values: Array, error: float) -> None:
        """ValueError where values are above r̄/(1-γ), and so of another model."""
        if not hasattr(self.mdp, "r_bar"):
            return
        most, found = self.mdp.r_bar / (1.0 - self.mdp.gamma), float(np.max(values, initial=0.0)) - error
        if found > most * (1.0 + NOISE):
            raise ValueError(f"{what} reaches {found!r}, but r̄/(1-γ) is {most!r}: the array is that of another model")


def _values(V: Array, error: float, names: _Names, agents: Sequence[int] | None = None) -> pd.DataFrame:
    rows, *sizes = V.shape
    n = len(sizes)
    _demand(V.size)
    names.check("V has the sizes", (tuple(sizes),), "state_sizes", "state_sizes")
    names.check_values("V", V, error)
    chosen = check_agents(range(n) if agents is None else agents, n)
    if len(chosen) != rows:
        raise ValueError(f"V is that of {rows} agents, not of {len(chosen)}: give those that were asked for as agents")
    numbers = np.indices((rows, *sizes)).reshape(n + 1, -1)
    label = np.array([names.agent(i) for i in chosen])
    columns = {"agent": np.array(chosen)[numbers[0]], "label": label[numbers[0]]}
    for j in range(n):
        columns[f"s[{names.agent(j)}]"] = np.array(names.states(j, sizes[j]))[numbers[j + 1]]
    return pd.DataFrame(columns | {"value": V.ravel()}).assign(error=error)


def _decay(
    tables: dict[str, Array],
    names: _Names,
    agents: Sequence[int] | None,
    kappas: Sequence[int] | None,
    whole: bool = False,
) -> pd.DataFrame:
    rows, columns = next(iter(tables.values())).shape
    if agents is None:
        names.check("the array has rows for agents", rows, "give those that were asked for as agents")
    chosen, hops = list(range(rows) if agents is None else agents), list(range(columns) if kappas is None else kappas)
    if (len(chosen), len(hops)) != (rows, columns):
        raise ValueError(
            f"the array has shape {(rows, columns)}, but {len(chosen)} agents and {len(hops)} kappas were named"
        )
    check_agents(chosen, sys.maxsize if names.mdp is None else len(names.mdp.state_sizes))
    check_kappas(hops)
    if whole or kappas is not None:
        names.check_decay(tables.get("lower", tables["value"]), chosen, hops, whole)
    label = [names.agent(i) for i in chosen]
    told = {"agent": np.repeat(chosen, columns), "label": np.repeat(np.array(label), columns)}
    return pd.DataFrame(told | {"kappa": np.tile(hops, rows)} | {name: table.ravel() for name, table in tables.items()})


def _blocks(blocks: Sequence[Array], names: _Names) -> pd.DataFrame:
    sizes = tuple(zip(*(block.shape[-2:] for block in blocks), strict=True))
    names.check("the blocks have the sizes", sizes, "state_sizes and action_sizes", "state_sizes", "action_sizes")
    _demand(sum(block.size for block in blocks))
    return pd.concat(list(_block_rows(blocks, names)), ignore_index=True)


def _block_rows(blocks: Sequence[Array], names: _Names) -> Iterator[pd.DataFrame]:
    for i, block in enumerate(blocks):
        *record, s, a = np.indices(block.shape).reshape(block.ndim, -1)
        S_i, A_i = block.shape[-2:]
        columns = {"record": record[0]} if record else {}
        columns |= {"agent": np.full(block.size, i), "label": np.array([names.agent(i)] * block.size)}
        columns |= {"state": np.array(names.states(i, S_i))[s], "action": np.array(names.actions(i, A_i))[a]}
        yield pd.DataFrame(columns | {"value": block.ravel()})


def _demand(rows: int) -> None:
    if rows > MOST_ROWS:
        raise ValueError(f"the table would have {rows:,} rows; at most {MOST_ROWS:,} are made: work with the arrays")
