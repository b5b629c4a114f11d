"""The light cone: D_i(κ) from a finite horizon, as an interval, and the fact that makes it local.

``upper end`` and ``lower end`` are the two inequalities; ``outside the cone`` is an identity: the value of T steps
does not change with the states outside N_i^T. D_i^T(κ) is computed here from tables over all agents, which is the
definition; computing it from the surroundings alone is what the identity allows. Skipped: ends of an interval that
the certificate does not resolve (`RESOLVED`), which would seem attained.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sacrepro.bounds.decay import cone_width, light_cone
from sacrepro.exact.decay.sweep import sweep_oscillations, sweep_plan, sweep_table
from sacrepro.exact.dense import mean_rewards, transition_matrix
from sacrepro.exact.rounding import gamma_k
from sacrepro.model.checks import Array
from sacrepro.model.graph import outside
from sacrepro.model.policy import policies
from sacrepro.study.record import Attack, Case, Change, Claim, Comparison, Drawing, Variant
from sacrepro.study.record.claim import EXPONENT, FACTOR, planted, planted_one_sided

UPPER, LOWER, OUTSIDE = "upper end", "lower end", "outside the cone"


#: T, the number of steps after the first that are seen.
HORIZONS = (1, 2, 4, 8, 16)

#: An end counts as attained where it differs from D by the certificate, so this must be a small part of the width.
RESOLVED = 1e-3


def check(case: Case) -> Iterator[Comparison]:
    """Both ends of the interval for each agent, κ and T, and the oscillation of V_i^T outside its cone."""
    mdp = case.mdp
    at_most = mdp.r_bar / (1.0 - mdp.gamma)
    plans = [sweep_plan(mdp, i) for i in range(mdp.n)]
    for T, (V_before, V_T) in finite_values(case).items():
        # Every entry goes through at most T+1 products over all joint states.
        rounding = gamma_k((T + 1) * (case.V[0].size + 4 * mdp.n + 8)) * at_most
        for i in range(mdp.n):
            axes = outside(mdp.graph, i, T)
            if axes:
                spread = float(np.ptp(V_T[i], axis=axes).max())
                yield from case.left(i, 0, spread, 2 * rounding, f"T={T}").against({OUTSIDE: 0.0})
            D_T = mdp.gamma * sweep_oscillations(plans[i], sweep_table(mdp, plans[i], V_before[i]))
            error = case.D_error + 2.0 * rounding
            for kappa in case.kappas(i):
                if error > RESOLVED * cone_width(T, kappa, mdp.gamma, mdp.r_bar):
                    continue
                D = float(case.D[i, kappa])
                own = float(D_T[kappa]) if kappa < len(D_T) else 0.0
                low, high = light_cone(own, T, kappa, mdp.gamma, mdp.r_bar)
                yield from case.left(i, kappa, D, error, f"T={T}").against({UPPER: high})
                yield from case.left(i, kappa, low, error, f"T={T}").against({LOWER: D})


def finite_values(case: Case) -> dict[int, tuple[Array, Array]]:
    """(V^{T-1}, V^T) for each T of `HORIZONS`: E Σ_{t≤T} γ^t r_i(t) for every agent, shape (n, S_0, …, S_{n-1})."""
    mdp = case.mdp
    zeta = policies(mdp, case.theta)
    P = transition_matrix(mdp, zeta)
    r = mean_rewards(mdp, zeta)
    kept = {}
    before = V = r
    for T in range(1, max(HORIZONS) + 1):
        before, V = V, r + mdp.gamma * V @ P.T
        if T in HORIZONS:
            kept[T] = (before.reshape(mdp.n, *mdp.state_sizes), V.reshape(mdp.n, *mdp.state_sizes))
    return kept


def narrower(factor: float, gamma: float) -> Change:
    """The width multiplied, at the end that the row is about."""

    def change(row: Comparison) -> Comparison:
        T = int(row.case.removeprefix("T="))
        lost = (1.0 - factor) * gamma ** (max(T, row.kappa) + 1) / (1.0 - gamma)
        return row._replace(right=row.right - lost) if row.hypothesis == UPPER else row._replace(left=row.left + lost)

    return change


CLAIM = Claim(
    order=60, words="a horizon of T steps brackets D_i(κ), at a cost that does not grow with n",
    statement="|D_i(κ) - D_i^T(κ)| ≤ r̄ γ^{max(T,κ)+1} / (1-γ), and T steps do not see outside N_i^T",
    reference="sharpens Lemma 3", proof="light_cone", check=check, shares="tables",
    variants=(Variant(UPPER, "light_cone"), Variant(LOWER, "light_cone"),
              Variant(OUTSIDE, "light_cone_sees_V", excuse="an identity")),
    drawing=Drawing("cone", r"$D_i(\kappa)$ and its interval $D_i^T(\kappa) \pm$ width", {UPPER: UPPER, LOWER: LOWER},
                    r"largest $D_i(\kappa)$"),
    attack=Attack(stream=4, built=("relay", "turncoat")),
    plants=(*planted(EXPONENT, "relay", narrower(0.9, 0.9), UPPER),
            *planted(EXPONENT, "turncoat", narrower(0.3, 0.3), LOWER),
            *planted(FACTOR, "relay", narrower(0.1, 0.9), UPPER),
            *planted(FACTOR, "turncoat", narrower(0.7, 0.3), LOWER), *planted_one_sided(check, UPPER)),
)  # fmt: skip
