"""Definition 2: which ρ the property needs, between what policies show and what the kernels certify.

With Lemma 3's c = r̄/(1-γ) an instance has the property for ρ if ρ ≥ (D_i(κ)/c)^{1/(κ+1)} for every agent, every κ and
EVERY localized policy. Policies can only show that ρ must be larger: left is the largest such value under the given
policy, and under the worst policy that a search finds from there (all deterministic ones, where there are at most
`EXHAUSTIVE`, and ascent beyond). Only bounds for all policies show that ρ need not be larger: right is γ, by Lemma 3,
or what the influence matrix certifies. On models of up to `MOST_AGENTS` agents with two actions each, branch and bound
over all policies brackets the least ρ that serves them all (`decay_supremum`): its lower end is a left side of its own,
its upper end a right side, so that the variant says by how little the ends differ.

The label of a given policy is its own fit: the pair (c, ρ) with c ρ = max_i D_i(0) and the least ρ for which c ρ^{κ+1}
dominates max_i D_i(κ) at every κ measured. It describes one policy at finitely many κ, and proves nothing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from sacrepro.bounds.decay import definition2, least_rho, lemma3
from sacrepro.bounds.influence import influence, influence_matrix
from sacrepro.exact.decay.supremum import MOST_FREE, MOST_STATES, decay_supremum
from sacrepro.exact.decay.worst import worst_decay
from sacrepro.instances.extremal import coin_lover
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.study.measures.decay import outsiders
from sacrepro.study.record import Attack, Case, Change, Claim, Comparison, Counterexample, Drawing, Variant, exact_case
from sacrepro.study.record.claim import EXPONENT, FACTOR, planted, planted_one_sided

LEMMA3, INFLUENCE, BRACKET = "Lemma 3", "influence matrix", "branch and bound"

#: Models whose least ρ is bracketed, and how far apart the ends of D may be, relative to it.
MOST_AGENTS, WIDTH = 3, 0.01

#: Policies that the search tries one by one before it turns to ascent.
EXHAUSTIVE = 256
#: Certified error of the V_i of the search.
SEARCH_TOLERANCE = 1e-9


def check(case: Case) -> Iterator[Comparison]:
    """The least ρ under the given and the worst policy found, against γ and against the influence matrix."""
    mdp = case.mdp
    c, gamma = lemma3(mdp.r_bar, mdp.gamma)
    places = [(i, kappa) for i in range(mdp.n) for kappa in case.kappas(i)]
    if not places or c == 0.0:
        return
    rights = {LEMMA3: gamma, INFLUENCE: certified_rho(case, places)}
    i, kappa = max(places, key=lambda place: least_rho(float(case.D[place]), c, place[1]))
    found = worst_decay(mdp, i, kappa, seed=0, exhaustive_limit=EXHAUSTIVE, starts=1, tol=SEARCH_TOLERANCE)
    lefts = {
        fit(case): asked([(float(case.D[place]), place[1]) for place in places], c, case.D_error),
        f"worst of {found.tried} policies": asked([(found.D, kappa)], c, 2.0 * SEARCH_TOLERANCE),
    }
    if case.policy == "uniform" and can_be_bracketed(mdp):
        lefts["worst of all policies"], rights[BRACKET] = bracketed_rho(mdp, places, c)
    for hypothesis, right in rights.items():
        for label, (left, error) in lefts.items():
            yield Comparison(case.instance, case.policy, hypothesis, label, i, kappa, left, right, error)


def asked(gaps: list[tuple[float, int]], c: float, error: float) -> tuple[float, float]:
    """(ρ, bound on its error): the least ρ for gaps (D_i(κ), κ) that are each known up to `error`.

    The root magnifies errors of small gaps at large κ, so the bound comes from both ends of every gap.
    """
    low, rho, high = (
        max(least_rho(max(D + shift, 0.0), c, kappa) for D, kappa in gaps) for shift in (-error, 0.0, error)
    )
    return rho, max(high - rho, rho - low)


def certified_rho(case: Case, places: list[tuple[int, int]]) -> float:
    """The least ρ for which c ρ^{κ+1} dominates the smaller of Lemma 3's bound and the influence matrix's."""
    mdp = case.mdp
    c, gamma = lemma3(mdp.r_bar, mdp.gamma)
    bounds = influence(influence_matrix(mdp), outsiders(mdp.graph, places), mdp.gamma, mdp.r_bar)
    return max(
        least_rho(min(definition2(c, gamma, kappa), float(bounds[i, column])), c, kappa)
        for column, (i, kappa) in enumerate(places)
    )


def can_be_bracketed(mdp: NetworkedMDP) -> bool:
    """Whether branch and bound over all policies takes seconds."""
    free = sum(S_j for S_j, A_j in zip(mdp.state_sizes, mdp.action_sizes, strict=True) if A_j > 1)
    small = mdp.n <= MOST_AGENTS and math.prod(mdp.state_sizes) <= MOST_STATES
    return small and max(mdp.action_sizes) <= 2 and free <= MOST_FREE


def bracketed_rho(mdp: NetworkedMDP, places: list[tuple[int, int]], c: float) -> tuple[tuple[float, float], float]:
    """((ρ, its error), ρ'): what some policy asks for, and what serves every policy."""
    low, high = 0.0, 0.0
    for i, kappa in places:
        found = decay_supremum(mdp, i, kappa, width=WIDTH, above=definition2(c, low, kappa))
        low, high = (max(rho, least_rho(D, c, kappa)) for rho, D in ((low, found.lower), (high, found.upper)))
    return (low, 4.0 * float(np.finfo(float).eps)), high


def fit(case: Case) -> str:
    """The policy's own (c, ρ), normalised at κ = 0, as a label."""
    kappas = sorted({kappa for i in range(case.mdp.n) for kappa in case.kappas(i)})
    D = [float(case.D[:, kappa].max()) for kappa in kappas]
    if len(D) < 2 or D[0] <= case.D_error:
        return "given policy"
    rho = max((max(later, 0.0) / D[0]) ** (1.0 / kappa) for kappa, later in zip(kappas[1:], D[1:], strict=True))
    return f"given policy, own c={D[0] / rho:.3g} ρ={rho:.3g}" if rho > 0 else "given policy"


#: The policies of `coin_lover` at which branch and bound ends, to three digits; agent 0 is never free at s_0 = 1.
MIXED = (np.array([[1.0, 0.0], [0.147, 0.853]]), np.array([[0.282, 0.718], [0.0, 1.0]]))


def deterministic_policies_decide() -> Iterator[Comparison]:
    """D_1(0) of `coin_lover` under `MIXED`, against the largest under its 16 deterministic policies."""
    mdp = coin_lover()
    vertices = ([0.0, -np.inf], [-np.inf, 0.0])
    pairs = [np.array(rows) for rows in itertools.product(vertices, repeat=2)]
    pure = [exact_case("coin_lover", "pure", mdp, theta) for theta in itertools.product(pairs, repeat=2)]
    with np.errstate(divide="ignore"):
        mixed = exact_case("coin_lover", "mixed", mdp, tuple(np.log(zeta_i) for zeta_i in MIXED))
    right = max(float(case.D[1, 0]) for case in pure)
    error = mixed.D_error + max(case.D_error for case in pure)
    yield from mixed.left(1, 0, mixed.D[1, 0], error).against({"": right})


def rooted(factor: float) -> Change:
    """c multiplied by `factor`: the least ρ becomes ρ factor^{-1/(κ+1)}."""
    return lambda row: row._replace(left=row.left * factor ** (-1.0 / (row.kappa + 1)))


def shifted_root(row: Comparison) -> Comparison:
    """c ρ^{κ+2}: the least ρ is a (κ+2)-nd root."""
    return row._replace(left=row.left ** ((row.kappa + 1) / (row.kappa + 2)))


CLAIM = Claim(
    order=20, words="exponential decay property: the least rate ρ that policies ask for",
    statement="the least ρ for c = r̄/(1-γ): what policies ask for ≤ what holds for every policy",
    reference="Definition 2", proof="definition2", check=check,
    variants=(Variant(LEMMA3, "definition2_lemma3"), Variant(INFLUENCE, "definition2_influence"),
              Variant(BRACKET, "definition2_supremum", "both ends are found for the model at hand, seconds for each")),
    drawing=Drawing(
        "rates",
        r"least $\rho$ with $c\,\rho^{\kappa+1} \geq D_i(\kappa)$ for all $i$, $\kappa$, at $c = \bar r/(1-\gamma)$",
        {INFLUENCE: "influence matrix, every policy", LEMMA3: r"$\gamma$, Lemma 3",
         BRACKET: "branch and bound, every policy"},
    ),
    attack=Attack(stream=0, built=("relay",), two_agents=True),
    plants=(*planted(EXPONENT, "relay", shifted_root, LEMMA3, INFLUENCE),
            *planted(FACTOR, "relay", rooted(0.1), LEMMA3, INFLUENCE),
            *planted(EXPONENT, "signal .3", shifted_root, BRACKET), *planted(FACTOR, "signal .3", rooted(0.7), BRACKET),
            *planted_one_sided(check, LEMMA3, INFLUENCE)),
    counterexamples=(
        Counterexample("deterministic policies",
                       "the largest D_i(κ) over localized policies is attained by a deterministic one",
                       "Definition 2, any localized policy", "fails without randomised policies",
                       deterministic_policies_decide),
    ),
)  # fmt: skip
