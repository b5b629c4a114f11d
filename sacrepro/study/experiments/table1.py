"""Table 1 of the paper, run: the neighboring settings as instances, and where truncation helps, is idle, or is silent.

Q^θ = (1/n) Σ_i Q_i^θ is approximated twice: by truncated Q-functions, (1/n) Σ_i Q̂_i with natural weights at each κ,
and by a sum of single-agent functions as in factored MDPs. Errors are sup norms over (s, a).

The latter, the rival of Guestrin et al. (JAIR 2003), is Q^θ ≈ Σ_j f_j(s_j, a_j), that is Σ_j S_j A_j indicator
functions. Of three ways to choose the f_j two need the exact Q^θ and show what the basis could do at best; LSTD needs
the local kernels alone, because the expectation of a single-agent function after one step is local. Everything is
formed over all (s, a), so this is for small instances.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from sacrepro.archive.files import arrays_of, write_rows, write_text
from sacrepro.bounds.decay import definition2, lemma3
from sacrepro.bounds.influence import influence_matrix
from sacrepro.exact.truncation import cell_shape, conditional_law, truncate
from sacrepro.model.checks import Array
from sacrepro.model.graph import max_neighborhood_size, neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import policies
from sacrepro.study.arguments import File, Record
from sacrepro.study.experiments import Experiment
from sacrepro.study.measures.decay import variants
from sacrepro.study.record.case import Case, cases
from sacrepro.study.record.comparison import by, table


class Table1Row(NamedTuple):
    """One setting at one κ under one policy.

    joint     : entries of Q^θ.                    f      : f(κ) = max_i |N_i^κ|.
    reach     : the largest number of agents that can act on one within κ steps, from the support of C.
    table     : entries of all Q̂_i together.       D      : max_i D_i(κ), with its certified error D_error.
    lemma3, influence : bounds on D for every policy, by Lemma 3 and by the influence matrix.
    truncated : sup |(1/n) Σ_i Q̂_i - Q^θ|.
    linear_table : parameters of the sum of single-agent functions; best, least_squares and lstd its sup errors.
    """

    setting: str
    instance: str
    policy: str
    n: int
    joint: int
    kappa: int
    f: int
    reach: int
    table: int
    D: float
    D_error: float
    lemma3: float
    influence: float
    truncated: float
    linear_table: int
    best: float
    least_squares: float
    lstd: float


def table1_rows(case: Case, setting: str) -> Iterator[Table1Row]:
    """One row for each κ from 0 to the diameter."""
    mdp = case.mdp
    full = (*mdp.state_sizes, *mdp.action_sizes)
    zeta = policies(mdp, case.theta)
    Q_i = [case.Q(i) for i in range(mdp.n)]
    Q = np.mean(Q_i, axis=0)
    Phi = single_agent_features(mdp)
    linear = [
        float(np.abs(fit - Q.ravel()).max())
        for fit in (max_norm_fit(Phi, Q), least_squares(Phi, Q), lstd(mdp, zeta, case.pi_theta))
    ]
    C = influence_matrix(mdp)
    places = [(i, kappa) for i in range(mdp.n) for kappa in case.kappas(i)]
    certified = dict(zip(places, variants(case, places)["clipped series"], strict=True)) if places else {}
    for kappa in range(case.D.shape[1]):
        hoods = [neighborhood(mdp.graph, i, kappa) for i in range(mdp.n)]
        Q_hat = sum(
            truncate(Q_i[i], hood, conditional_law(mdp, zeta, case.pi_theta, hood)) for i, hood in enumerate(hoods)
        )
        yield Table1Row(
            setting=setting,
            instance=case.instance,
            policy=case.policy,
            n=mdp.n,
            joint=math.prod(full),
            kappa=kappa,
            f=max_neighborhood_size(mdp.graph, kappa),
            reach=reach(C, kappa),
            table=sum(math.prod(cell_shape(full, hood)) for hood in hoods),
            D=float(case.D[:, kappa].max()),
            D_error=case.D_error,
            lemma3=definition2(*lemma3(mdp.r_bar, mdp.gamma), kappa),
            influence=max((float(certified[place]) for place in places if place[1] == kappa), default=0.0),
            truncated=float(np.abs(Q_hat / mdp.n - Q).max()),
            linear_table=Phi.shape[1],
            best=linear[0],
            least_squares=linear[1],
            lstd=linear[2],
        )


def reach(C: csr_array, kappa: int) -> int:
    """max_i of the number of agents j, i included, from which a path of at most κ steps of C leads to i."""
    linked = (C.toarray() > 0) | np.eye(C.shape[0], dtype=bool)
    reached = np.linalg.matrix_power(linked.astype(float), kappa) > 0
    return int(reached.sum(axis=1).max())


#: Columns of the Markdown table: heading, field, whether it is the largest over policies.
COLUMNS = (
    ("κ", "kappa"), ("f(κ)", "f"), ("reach", "reach"), ("entries of all Q̂_i", "table"), ("max D_i(κ)", "D"),
    ("Lemma 3", "lemma3"), ("influence", "influence"), ("truncated Q̂", "truncated"),
)  # fmt: skip
LINEAR = (("best fit", "best"), ("least squares", "least_squares"), ("LSTD", "lstd"))


def markdown_table1(rows: Sequence[Table1Row]) -> str:
    """The table as Markdown: one line for each setting and κ, errors and D_i(κ) the largest over policies."""
    columns = (*COLUMNS, ("single-agent parameters", "linear_table"), *((f"linear, {name}", of) for name, of in LINEAR))
    body = [
        (setting, own[0].n, own[0].joint, *(largest(own, field) for _, field in columns))
        for (setting, _), own in by(rows, "setting", "kappa").items()
    ]
    return "\n".join(table(("setting", "n", "entries of Q", *(name for name, _ in columns)), body)) + "\n"


def largest(rows: Sequence[Table1Row], field: str) -> str:
    """The largest value of a field over the rows; 0 where it is within the certified error."""
    value = max(getattr(row, field) for row in rows)
    if isinstance(value, int):
        return str(value)
    return "0" if value <= 2.0 * max(row.D_error for row in rows) else f"{value:.3g}"


def table1(exact: Sequence[str], *, settings: Record, markdown: File, output: File) -> Iterator[str]:
    """Write the paper's Table 1 as numbers, from exact files and the setting that each stands for."""
    rows: list[Table1Row] = []
    for path in exact:
        for case in cases(arrays_of("exact", path)):
            if case.instance not in settings:
                raise ValueError(f"--settings: the instance {case.instance!r} of {path} has no setting")
            rows += table1_rows(case, settings[case.instance])
            yield f"{case.instance}, θ {case.policy}: done"
    write_rows(output, Table1Row, rows)
    write_text(markdown, markdown_table1(rows))


def single_agent_features(mdp: NetworkedMDP) -> Array:
    """Φ, shape (entries of Q, Σ_j S_j A_j): indicators of (s_j, a_j), agent after agent; (s, a) in row-major order."""
    blocks = []
    for j, (S_j, A_j) in enumerate(zip(mdp.state_sizes, mdp.action_sizes, strict=True)):
        places = _places(mdp)
        blocks.append(_rows(mdp, np.eye(S_j * A_j)[places[j] * A_j + places[mdp.n + j]]))
    return np.concatenate(blocks, axis=1)


def expected_next_features(mdp: NetworkedMDP, zeta: Sequence[Array]) -> Array:
    """E[Φ(s', a') | s, a] under ζ, shape of Φ: block j depends on (s_{N_j}, a_j) alone."""
    blocks = []
    for j, hood in enumerate(mdp.neighbors):
        local = (mdp.P[j][..., None] * zeta[j]).reshape(*mdp.P[j].shape[:-1], -1)
        blocks.append(_rows(mdp, local[tuple(_places(mdp)[axis] for axis in (*hood, mdp.n + j))]))
    return np.concatenate(blocks, axis=1)


def least_squares(Phi: Array, Q: Array) -> Array:
    """The member of the span that is closest to Q in the 2-norm over all (s, a), flat."""
    return Phi @ np.linalg.lstsq(Phi, Q.ravel(), rcond=None)[0]


def max_norm_fit(Phi: Array, Q: Array) -> Array:
    """The member of the span that is closest to Q in the sup norm, flat: no choice of the f_j does better.

    The linear program min ε subject to |Q - Φw| ≤ ε. Raises ArithmeticError if it is not solved.
    """
    from scipy.optimize import linprog

    rows = len(Phi)
    error = np.ones((rows, 1))
    upper = np.concatenate([np.hstack([Phi, -error]), np.hstack([-Phi, -error])])
    cost = np.append(np.zeros(Phi.shape[1]), 1.0)
    free = [(None, None)] * Phi.shape[1] + [(0, None)]
    solved = linprog(cost, A_ub=upper, b_ub=np.concatenate([Q.ravel(), -Q.ravel()]), bounds=free, method="highs")
    if not solved.success:
        raise ArithmeticError(f"the max-norm projection was not solved: {solved.message}")
    return Phi @ solved.x[:-1]


def lstd(mdp: NetworkedMDP, zeta: Sequence[Array], pi_theta: Array) -> Array:
    """The fixed point of Φw = Π(r + γ P^ζ Φw), Π the projection in the 2-norm under π^θ × ζ^θ, flat over (s, a)."""
    Phi, Phi_next = single_agent_features(mdp), expected_next_features(mdp, zeta)
    law = pi_theta.reshape(*mdp.state_sizes, *(1,) * mdp.n)
    r = np.zeros((1,) * (2 * mdp.n))
    for j in range(mdp.n):
        s, a = _places(mdp)[j], _places(mdp)[mdp.n + j]
        law = law * zeta[j][s, a]
        r = r + mdp.r[j][s, a] / mdp.n
    weighted = Phi * law.reshape(-1, 1)
    rewards = np.broadcast_to(r, (*mdp.state_sizes, *mdp.action_sizes)).ravel()
    w = np.linalg.lstsq(weighted.T @ (Phi - mdp.gamma * Phi_next), weighted.T @ rewards, rcond=None)[0]
    return Phi @ w


def _places(mdp: NetworkedMDP) -> tuple[Array, ...]:
    """The indices along each axis of a table over (s, a), broadcast against each other."""
    return np.indices((*mdp.state_sizes, *mdp.action_sizes), sparse=True)


def _rows(mdp: NetworkedMDP, block: Array) -> Array:
    """One row for each (s, a) of a block that is constant along some axes."""
    return np.broadcast_to(block, (*mdp.state_sizes, *mdp.action_sizes, block.shape[-1])).reshape(-1, block.shape[-1])


EXPERIMENTS = (Experiment(order=130, name="table1", rows=Table1Row, key="table1", figures=("table1",)),)
