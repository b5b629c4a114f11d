"""Counterexamples, computed: sentences that are false as written, and statements with one hypothesis taken away.

Each witness reads a false sentence as left ≤ right and measures both sides where it fails. It earns its verdict only if
EVERY one of its comparisons is violated beyond its certified error; a witness that stops violating fails the run.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.bounds.decay import definition2, lemma3, truncation
from sacrepro.bounds.gradient import lemma4
from sacrepro.bounds.influence import influence, policy_influence
from sacrepro.bounds.theorem5 import smoothness
from sacrepro.exact.best_joint import best_joint
from sacrepro.exact.dense import averaged_kernels, gradient_from_q, oscillation, q_function
from sacrepro.exact.truncation import cell_shape, outside_axes, point_mass_weights, uniform_weights
from sacrepro.instances.extremal import NEXT_IS_ONE, coin_lover, ladder, latch, parity, signal, td_witness
from sacrepro.instances.relay import broadcast, long_range_relay, relay
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import SCORE_BOUND, policies, uniform_theta
from sacrepro.study.claims import actions_one_hop_later, appendix_a, td_fixed_point, theorem5_sharp
from sacrepro.study.claims import lemma4 as lemma4_claim
from sacrepro.study.claims import lemma4_vector as lemma4_vector_claim
from sacrepro.study.measures.exploration import best_sigma, relative_error
from sacrepro.study.measures.rational import td_hull
from sacrepro.study.record.case import Case, exact_case
from sacrepro.study.record.comparison import UNEARNED, Comparison, Verdict, holds, place, verdict

FALSE = "false as written"


class Witness(NamedTuple):
    """A false sentence of the thread `claim`, what its failure shows, and the comparisons that it fails."""

    claim: str
    name: str
    sentence: str
    reference: str
    finding: str
    rows: Callable[[], Iterable[Comparison]]


def uniform_case(instance: str, mdp: NetworkedMDP) -> Case:
    """The case of the uniform policy."""
    return exact_case(instance, "uniform", mdp, uniform_theta(mdp))


def td_is_of_form_5() -> Iterator[Comparison]:
    """min_z Q_0(z) over the cell s_0 = 1 against q*(s_0 = 1) on `td_witness`, both by rational arithmetic."""
    mdp = td_witness()
    hull, q = td_hull(NEXT_IS_ONE, mdp.gamma)
    low, fixed = float(min(hull)), float(q)
    where = f"Q_0(1, ·) ∈ [{low:.4f}, {float(max(hull)):.4f}], q*(1) = {fixed:.4f}"
    yield Comparison("td_witness", "any", "", where, 0, 0, low, fixed, float(np.spacing(low) + np.spacing(fixed)))


def lemma3_with_rewards_in(low: float) -> Iterator[Comparison]:
    """The relay with rewards in [low, 1]: shifting r_i by a constant shifts Q_i, so D is that of range 1 - low."""
    mdp = relay(4, gamma=0.9, r_bar=1.0 - low)
    case = uniform_case(f"relay, r ∈ [{low:g}, 1]", mdp)
    c, rho = lemma3(1.0, mdp.gamma)
    yield from on_the_relay(case, lambda kappa: definition2(c, rho, kappa))


def on_the_relay(case: Case, right: Callable[[int], float]) -> Iterator[Comparison]:
    """D_i(κ) against a right side wherever the relay is at Lemma 3's equality, κ < i."""
    for i in range(case.mdp.n):
        for kappa in range(i):
            yield Comparison(
                case.instance, case.policy, "", "", i, kappa, float(case.D[i, kappa]), right(kappa), case.D_error
            )


def lemma3_with_exponent_2() -> Iterator[Comparison]:
    """D_i(κ) of the relay against c ρ^{κ+2}."""
    case = uniform_case("relay", relay(4, gamma=0.9))
    c, rho = lemma3(1.0, 0.9)
    yield from on_the_relay(case, lambda kappa: definition2(c, rho, kappa + 1))


def lemma3_without_locality() -> Iterator[Comparison]:
    """A relay of two hops a step, cells taken on the path: the last agent hears from outside N_i^κ too early."""
    case = uniform_case("long_range_relay", long_range_relay(5, 0.9))
    c, rho = lemma3(1.0, 0.9)
    yield from decay_over(case, 4, {kappa: range(4 - kappa, 5) for kappa in (1, 2, 3)}, c, rho)


def lemma3_on_one_sided_cells() -> Iterator[Comparison]:
    """The relay with cells {i, …, i+κ}, which leave out the side that the bit comes from."""
    case = uniform_case("relay", relay(4, gamma=0.9))
    c, rho = lemma3(1.0, 0.9)
    for i in (1, 2):
        yield from decay_over(case, i, {kappa: range(i, min(i + kappa, 3) + 1) for kappa in (1, 2)}, c, rho)


def decay_over(case: Case, i: int, hoods: dict[int, range], c: float, rho: float) -> Iterator[Comparison]:
    """The oscillation of Q_i over cells of given agents against c ρ^{κ+1}."""
    Q_i = q_function(case.mdp, case.V[i], i)
    for kappa, hood in hoods.items():
        left = float(oscillation(Q_i, tuple(hood)).max())
        where = (case.instance, case.policy, "", f"cells of {tuple(hood)}", i, kappa)
        yield Comparison(*where, left, definition2(c, rho, kappa), 2.0 * case.error)


#: The policies of `coin_lover` that a climb over all localized ones ends at, to three digits.
MIXED = (np.array([[1.0, 0.0], [0.145, 0.855]]), np.array([[0.282, 0.718], [0.0, 1.0]]))


def deterministic_policies_decide() -> Iterator[Comparison]:
    """D_1(0) of `coin_lover` under `MIXED`, against the largest under its 16 deterministic policies."""
    mdp = coin_lover()

    def vertex(a: int) -> list[float]:
        return [0.0, -np.inf] if a == 0 else [-np.inf, 0.0]

    pairs = list(itertools.product(range(2), repeat=2))
    pure = [
        exact_case("coin_lover", "pure", mdp, tuple(np.array([vertex(a), vertex(b)]) for a, b in (zero, one)))
        for zero in pairs
        for one in pairs
    ]
    with np.errstate(divide="ignore"):
        mixed = exact_case("coin_lover", "mixed", mdp, tuple(np.log(zeta_i) for zeta_i in MIXED))
    right = max(float(case.D[1, 0]) for case in pure)
    error = mixed.D_error + max(case.D_error for case in pure)
    yield Comparison("coin_lover", "mixed", "", "", 1, 0, float(mixed.D[1, 0]), right, error)


def appendix_a_without_its_2() -> Iterator[Comparison]:
    """The noisy relay against c'r̄/(1-γm) (γm)^{κ+1}, for laws c'm^t close to their limit."""
    rows = appendix_a.check(uniform_case("noisy relay", relay(4, gamma=0.9, noise=0.3)))
    for row in rows:
        if row.hypothesis == "law to its limit" and row.kappa < row.agent:
            yield row._replace(right=0.5 * row.right)


def averaged_influence_at_once() -> Iterator[Comparison]:
    """`signal` against the influence series with C^θ from the first step on."""
    case = uniform_case("signal", signal())
    own = policy_influence(averaged_kernels(case.mdp, policies(case.mdp, case.theta)), case.mdp.neighbors)
    right = float(influence(own, np.array([[1.0], [0.0]]), 0.9, 1.0)[1, 0])
    yield Comparison("signal", "uniform", "", "", 1, 0, float(case.D[1, 0]), right, case.D_error)


def actions_two_hops_later() -> Iterator[Comparison]:
    """The latch against r̄ γ^{κ+2}/(1-γ), which an action acting two hops later would allow."""
    for row in actions_one_hop_later.check(uniform_case("latch", latch(4, 0.5))):
        if row.kappa == row.agent >= 1:
            yield row._replace(right=0.5 * row.right)


def truncation_of_total(total: float) -> Iterator[Comparison]:
    """max |Q̂_i - Q_i| on the relay for point masses on each cell's largest entry, scaled to sum to `total`."""
    case = uniform_case("relay", relay(4, gamma=0.9))
    mdp = case.mdp
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    for i in range(mdp.n):
        Q_i = q_function(mdp, case.V[i], i)
        for kappa in range(i):
            hood = neighborhood(mdp.graph, i, kappa)
            w = total * point_mass_weights(Q_i, hood, largest=True)
            left = float(np.abs((w * Q_i).sum(axis=outside_axes(hood, mdp.n), keepdims=True) - Q_i).max())
            where = (case.instance, case.policy, "", f"weights sum to {total:g}", i, kappa)
            yield Comparison(*where, left, truncation(c, rho, kappa), (1.0 + total) * case.error)


def lemma4_at_the_hub(gamma: float, L_i: float, exponent: int) -> Iterator[Comparison]:
    """‖ĥ_0 - ∇_{θ_0}J‖ at the hub of the broadcast, κ = 1, opposed weights, against c L_i ρ^{exponent}/(1-γ)."""
    case = uniform_case("broadcast", broadcast(8, gamma=gamma))
    c, rho = lemma3(case.mdp.r_bar, gamma)
    for row in lemma4_claim.check(case):
        if (row.agent, row.kappa, row.case, row.hypothesis) == (0, 1, "opposed", "worst case"):
            yield row._replace(right=lemma4(c, rho, exponent - 1, L_i, gamma))


def lemma4_sum(scale: float, one_sided: bool) -> Iterator[Comparison]:
    """Eq. (7) for agent 0 of the latch, κ = 4, uniform weights times `scale`, over N_0^κ or over {0} alone."""
    mdp = latch(6, 0.2)
    case = uniform_case("latch", mdp)
    kappa = 4
    used = (0,) if one_sided else neighborhood(mdp.graph, 0, kappa)
    total = np.zeros((1,) * (2 * mdp.n))
    for j in used:
        total = total + scale * cell_means(case, j, kappa) / mdp.n
    zero = np.zeros((1,) * (2 * mdp.n))
    zeta = policies(mdp, case.theta)
    h_hat = gradient_from_q(mdp, zeta, case.pi_theta, (total, *(zero,) * (mdp.n - 1)))[0]
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    left, right = float(np.linalg.norm(h_hat - case.gradient[0])), lemma4(c, rho, kappa, SCORE_BOUND, mdp.gamma)
    label = f"sum over {used}" if one_sided else f"weights sum to {scale:g}"
    yield Comparison("latch", "uniform", "", label, 0, kappa, left, right, max(1.0, scale) * case.gradient_error)


def vector_on_the_parity_star(reading: str, factor: float) -> Iterator[Comparison]:
    """The largest ‖ĥ - ∇J‖ of a reading of `lemma4_vector` on `parity`, against a share of its right side."""
    rows = lemma4_vector_claim.check(uniform_case("parity", parity(6, gamma=0.02)))
    worst = max((row for row in rows if row.hypothesis == reading), key=lambda row: row.left / row.right)
    yield worst._replace(right=factor * worst.right)


def cell_means(case: Case, j: int, kappa: int) -> Array:
    """Q̂_j with uniform weights."""
    Q_j = q_function(case.mdp, case.V[j], j)
    hood = neighborhood(case.mdp.graph, j, kappa)
    w = uniform_weights(Q_j.shape, hood)
    return np.asarray((w * Q_j).sum(axis=outside_axes(hood, case.mdp.n)).reshape(cell_shape(Q_j.shape, hood)))


def td_within_the_gap() -> Iterator[Comparison]:
    """The ladder's |q* - Q_0| against D_0(0) itself, which form (5) would give."""
    for row in td_fixed_point.check(uniform_case("ladder", ladder(8, 50, 0.01, 0.5))):
        if row.hypothesis == "decay gap alone" and row.agent == 0:
            yield row._replace(right=0.5 * row.right)


#: Steps of an ascent that stands still.
STILL = 100_000


def ascent_that_stands_still() -> Iterator[Comparison]:
    """On `signal` only agent 1 is paid, and κ = 0 does not let agent 0 see it: ĥ = 0 for every θ, and ∇J stays.

    θ never moves, so that the mean over `STILL` steps is the mean over the few that were made.
    """
    case = uniform_case("signal", signal(0.3))
    gain = 2.0 * (best_joint(case.mdp) - case.J + case.error)
    for row in theorem5_sharp.check(case):
        if row.hypothesis == "TD's limit":
            yield row._replace(right=gain * smoothness(case.mdp.r_bar, case.mdp.gamma) / STILL, case=f"M={STILL}")


def one_sigma_for_all_policies() -> Iterator[Comparison]:
    """σ = 10^-k against the σ(τ) of a softmax policy with one logit of -k log 10, on a noisy relay of two."""
    mdp = relay(2, gamma=0.9, noise=0.5)
    for k in (2, 4, 8, 16):
        theta = tuple(np.array([[0.0, -k * np.log(10.0)]] * 2) for _ in range(2))
        yield from against_sigma(mdp, theta, "noisy relay", f"logit -{k} log 10", 10.0**-k)


def exploration_of_absorbing_dynamics() -> Iterator[Comparison]:
    """σ = 10^-k against the σ(τ) of the relay, whose source never changes: the uniform policy does not help."""
    for k in (2, 4, 8, 16):
        mdp = relay(2, gamma=0.9)
        yield from against_sigma(mdp, uniform_theta(mdp), "relay", "uniform", 10.0**-k)


def against_sigma(
    mdp: NetworkedMDP, theta: Sequence[Array], instance: str, policy: str, sigma: float
) -> Iterator[Comparison]:
    """A candidate σ against the best σ_0(τ) at κ = 0, for several τ."""
    best = best_sigma(mdp, policies(mdp, theta), (2, 3, 9))
    for tau in (2, 3, 9):
        right = best[0, 0, tau]
        error = relative_error(mdp, tau) * right
        yield Comparison(instance, policy, "", f"σ={sigma:g}, τ={tau}", 0, 0, sigma, right, error)


#: In the paper's order.
WITNESSES = (
    Witness(
        "definition2", "deterministic policies",
        "the largest D_i(κ) over localized policies is attained by a deterministic one",
        "Definition 2, any localized policy", "fails without randomised policies", deterministic_policies_decide,
    ),
    Witness(
        "lemma3", "r_i ≤ r̄ and no more", "D_i(κ) ≤ r̄ γ^{κ+1} / (1-γ) if r_i is upper bounded by r̄",
        "Lemma 3", FALSE, lambda: lemma3_with_rewards_in(-9.0),
    ),
    Witness(
        "lemma3", "|r_i| ≤ r̄", "D_i(κ) ≤ r̄ γ^{κ+1} / (1-γ) if |r_i| ≤ r̄",
        "Lemma 3", "fails without 0 ≤ r_i", lambda: lemma3_with_rewards_in(-1.0),
    ),
    Witness(
        "lemma3", "κ+2", "D_i(κ) ≤ r̄ γ^{κ+2} / (1-γ)", "Lemma 3", "fails with κ+2", lemma3_with_exponent_2,
    ),
    Witness(
        "lemma3", "two hops a step", "D_i(κ) ≤ r̄ γ^{κ+1} / (1-γ) if agents see two hops far",
        "Lemma 3, eq. (1)", "fails without locality", lemma3_without_locality,
    ),
    Witness(
        "lemma3", "one-sided cells", "D_i(κ) ≤ r̄ γ^{κ+1} / (1-γ) over cells of {i, …, i+κ}",
        "Lemma 3, N_i^κ", "fails without symmetric N_i^κ", lemma3_on_one_sided_cells,
    ),
    Witness(
        "appendix_a", "c for 2c", "D_i(κ) ≤ c ρ^{κ+1}, c = c'r̄/(1-γm), if laws are c'm^t close to their limit",
        "Appendix A", "fails without the factor 2", appendix_a_without_its_2,
    ),
    Witness(
        "influence", "C^θ at once", "D_i(κ) ≤ the influence series with C^θ from the first step on",
        "sharpens Lemma 3", "fails without C at the first step", averaged_influence_at_once,
    ),
    Witness(
        "actions_one_hop_later", "two hops later", "Q_i varies by r̄ γ^{κ+2} / (1-γ) at most over these cells",
        "sharpens Lemma 3", "fails with κ+2", actions_two_hops_later,
    ),
    Witness(
        "truncation", "weights sum to 1.1", "|Q̂_i - Q_i| ≤ c ρ^{κ+1} for any non-negative weights",
        "eqs. (5)-(6)", "fails without eq. (6)", lambda: truncation_of_total(1.1),
    ),
    Witness(
        "lemma4", "κ+2", "‖ĥ_i - ∇_{θ_i}J‖ ≤ c L_i ρ^{κ+2} / (1-γ)",
        "Lemma 4", "fails with κ+2", lambda: lemma4_at_the_hub(0.1, SCORE_BOUND, 3),
    ),
    Witness(
        "lemma4", "L_i = 1/4", "‖ĥ_i - ∇_{θ_i}J‖ ≤ c ρ^{κ+1} / (4(1-γ)) for tabular softmax",
        "Lemma 4, Assumption 4", "fails without ‖∇log ζ_i‖ ≤ L_i", lambda: lemma4_at_the_hub(0.9, 0.25, 2),
    ),
    Witness(
        "lemma4", "weights sum to 1.1", "‖ĥ_i - ∇_{θ_i}J‖ ≤ c L_i ρ^{κ+1} / (1-γ) for any non-negative weights",
        "Lemma 4, eq. (6)", "fails without eq. (6)", lambda: lemma4_sum(1.1, one_sided=False),
    ),
    Witness(
        "lemma4", "one-sided sum", "‖ĥ_i - ∇_{θ_i}J‖ ≤ c L_i ρ^{κ+1} / (1-γ) with {i-κ, …, i} for N_i^κ in eq. (7)",
        "Lemma 4, eq. (7)", "fails without symmetric N_i^κ", lambda: lemma4_sum(1.0, one_sided=True),
    ),
    Witness(
        "lemma4_vector", "½ for 1/√2", "‖ĥ - ∇J‖ ≤ (1/2) (1/n) Σ_j D_j(κ) / (1-γ) for any weights of eq. (6)",
        "sharpens Lemma 4", "fails with ½", lambda: vector_on_the_parity_star("any weights", SCORE_BOUND / 2),
    ),
    Witness(
        "lemma4_vector", "κ+3", "‖ĥ - ∇J‖ ≤ r̄γ^{κ+3} M / (2√2 (1-γ)) for natural weights",
        "sharpens Lemma 4", "fails with κ+3", lambda: vector_on_the_parity_star("natural weights", 0.02),
    ),
    Witness(
        "td_fixed_point", "form (5)", "the TD update gives a truncated Q-function: min_z Q_i(z) ≤ q* on every cell",
        "Section 3.2, the critic", FALSE, td_is_of_form_5,
    ),
    Witness(
        "td_fixed_point", "the gap alone", "|q* - Q_i| ≤ D_i(κ)",
        "Section 3.2, the critic", "fails without 1/(1-γ)", td_within_the_gap,
    ),
    Witness(
        "theorem5_sharp", "no bias", "Σ η_m ‖∇J(θ(m))‖² ≤ 2 (J_sup - J(θ(0))) along TD's limit, whatever κ",
        "Theorem 5, eq. (9)", "fails without the bias", ascent_that_stands_still,
    ),
    Witness(
        "assumption3", "any policy",
        "one σ > 0 serves every softmax policy (σ = 10^{-k}, k = 2, 4, 8, 16; for any other see the ceiling's proof)",
        "Assumption 3, any fixed policy", "not satisfied by the softmax", one_sigma_for_all_policies,
    ),
    Witness(
        "assumption3", "absorbing dynamics",
        "some σ > 0 serves the uniform policy, whatever the kernels (here the least probability is 0)",
        "Assumption 3", "fails without dynamics that mix", exploration_of_absorbing_dynamics,
    ),
)  # fmt: skip


def key(witness: Witness) -> str:
    """The witness by name, unique among all."""
    return f"{witness.claim}: {witness.name}"


def measured(witness: Witness) -> list[Comparison]:
    """The comparisons of one witness, marked with its key."""
    return [row._replace(hypothesis=key(witness)) for row in witness.rows()]


def judged(witness: Witness, rows: Sequence[Comparison]) -> Verdict:
    """Its row of the verdict table: the finding, if there are comparisons and all are violated, else `UNEARNED`.

    ratio is the largest left/right, ∞ where the right side is 0.
    """
    table = verdict(witness.claim, witness.sentence, witness.reference, rows)
    earned = bool(rows) and not any(holds(row) for row in rows)
    worst = max(rows, key=ratio, default=None)
    return table._replace(
        hypothesis=witness.name,
        ratio=ratio(worst) if worst else math.nan,
        where=place(worst) if worst else "",
        verdict=witness.finding if earned else UNEARNED,
    )


def ratio(row: Comparison) -> float:
    """left/right, ∞ where the right side is 0."""
    return row.left / row.right if row.right > 0.0 else math.inf
