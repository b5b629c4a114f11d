"""Theorem 5: its constants, what (8) asks for, and what (9) promises, on every instance.

``L'`` compares ‖∇J(θ') - ∇J(θ)‖ with L'‖θ' - θ‖ for moves in random directions, L' = r̄/(2(1-γ)²). ``‖∇J‖`` compares
‖∇J(θ)‖ with r̄/(2√2 (1-γ)^{3/2}), where the proof of the theorem has L r̄/(1-γ)². ``T of (8)`` compares
1/σ with the least T that (8) admits; `case` names the best τ. ``(9)`` compares ‖∇J(θ)‖², what the left side of (9)
averages, with its right side after `M` iterations at the largest η; r̄²/(8(1-γ)³) holds at every θ. Skipped: T and
(9) where σ is not computed (see `assumption3`) or is 0.

``(9) along runs`` compares both sides along recorded runs of Algorithm 1. Their T is far below what (8) asks for and
their η above 1/(4L'), so the theorem promises nothing there; the right side is the least over all η.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from sacrepro.bounds.decay import lemma3
from sacrepro.bounds.theorem5 import Constants, best_eta, gradient_norm, least_T, smoothness, steepest, theorem5
from sacrepro.exact.values import policy_gradient
from sacrepro.instances.extremal import tally
from sacrepro.model.graph import max_neighborhood_size
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import SCORE_BOUND, policies
from sacrepro.study.measures.decay import MOST_ENTRIES, best_sigma, entries
from sacrepro.study.measures.stationarity import StationarityRow
from sacrepro.study.record import Attack, Case, Claim, Comparison, Drawing, Plant, Variant, uniform_case
from sacrepro.study.record.claim import EXPONENT, FACTOR, TALLY, planted, times
from sacrepro.study.record.comparison import by

SMOOTH, NORM, LEAST_LENGTH, NINE, ALONG_RUNS = "L'", "‖∇J‖", "T of (8)", "(9)", "(9) along runs"


#: δ of the theorem, its outer iterations M, and the τ among which the best is taken.
DELTA, M, TAUS = 0.1, 10**6, (3, 9)

#: The least M of the theorem.
LEAST_M = 3

#: Lengths of the moves from θ.
MOVES = (0.01, 1.0)

#: Discounts up to which T ≥ 1/σ is proved.
LARGEST_GAMMA = 0.97


def check(case: Case) -> Iterator[Comparison]:
    """The comparisons: one of the gradient, one for each length of a move, the others for each κ."""
    mdp = case.mdp
    yield from smooth(case)
    L, L_prime = SCORE_BOUND * math.sqrt(mdp.n), smoothness(mdp.r_bar, mdp.gamma)
    size, sharper = steepest(L, mdp.r_bar, mdp.gamma), gradient_norm(mdp.r_bar, mdp.gamma)
    norm = math.sqrt(sum(float(np.sum(block**2)) for block in case.gradient))
    off = case.gradient_error * math.sqrt(mdp.n)
    yield from case.left(0, 0, norm, off, trivial=size).against({NORM: sharper})
    if mdp.r_bar == 0.0 or mdp.gamma == 0.0 or mdp.gamma > LARGEST_GAMMA or entries(mdp) > MOST_ENTRIES:
        return
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    sigma = best_sigma(mdp, policies(mdp, case.theta), TAUS)
    for kappa in range(case.D.shape[1]):
        chosen = None
        pairs = max(mdp.state_sizes) * max(mdp.action_sizes)
        cells = max_neighborhood_size(mdp.graph, kappa) * math.log(pairs)
        for tau in TAUS:
            explored = min(sigma[i, kappa, tau] for i in range(mdp.n))
            if not 0.0 < explored <= 0.5:
                continue
            constants = Constants(c, rho, explored, tau, mdp.r_bar, mdp.gamma, cells)
            T = least_T(DELTA, mdp.n, M, kappa, constants)
            if chosen is None or chosen[0] > T:
                chosen = (T, constants)
        if chosen is None:
            continue
        T, constants = chosen
        where = f"τ={constants.tau}"
        yield from case.left(0, kappa, 1.0 / constants.sigma, 1e-9 * T, where).against({LEAST_LENGTH: float(T)})
        promised = theorem5(M, 0.25 / L_prime, DELTA, L, L_prime, kappa, constants)
        error = off * (2.0 * norm + off)
        yield from case.left(0, kappa, norm**2, error, where, sharper**2).against({NINE: promised})


def smooth(case: Case) -> Iterator[Comparison]:
    """‖∇J(θ') - ∇J(θ)‖ against L'‖θ' - θ‖ for one random direction and each length of `MOVES`."""
    mdp = case.mdp
    rng = np.random.default_rng(0)
    direction = [rng.standard_normal(r_i.shape) for r_i in mdp.r]
    size = math.sqrt(sum(float(np.sum(block**2)) for block in direction))
    for length in MOVES:
        moved = tuple(theta_i + length / size * d for theta_i, d in zip(case.theta, direction, strict=True))
        gradient = policy_gradient(mdp, moved)
        left = math.sqrt(sum(float(np.sum((a - b) ** 2)) for a, b in zip(gradient, case.gradient, strict=True)))
        right = smoothness(mdp.r_bar, mdp.gamma) * length
        error = 2.0 * case.gradient_error * math.sqrt(mdp.n) + 1e-12 * right
        yield from case.left(0, 0, left, error, f"‖θ'-θ‖={length:g}").against({SMOOTH: right})


def along_runs(rows: Sequence[StationarityRow], models: Mapping[str, NetworkedMDP]) -> Iterator[Comparison]:
    """One comparison for each run, from its exact ‖∇J(θ(m))‖²; `models` holds the instance of every row by name.

    ValueError names an instance that it does not hold.
    """
    for (instance, kappa, seed), own in by(rows, "instance", "kappa", "seed").items():
        if instance not in models:
            raise ValueError(
                f"rows along a run on {instance!r}, but the file of that run, written by `sac`, is not given"
            )
        mdp, M = models[instance], max(row.m for row in own)
        if mdp.r_bar == 0.0 or M < LEAST_M:
            continue
        left, error = left_of_9(own)
        trivial = gradient_norm(mdp.r_bar, mdp.gamma) ** 2
        right = least_right_of_9(M, kappa, mdp)
        where = (instance, "Algorithm 1", ALONG_RUNS, f"M={M}, seed {seed}", 0, kappa)
        yield Comparison(*where, left, right, error, trivial)


def least_right_of_9(M: int, kappa: int, mdp: NetworkedMDP) -> float:
    """The right side of (9) after M iterations with Lemma 3's (c, ρ), at the η that makes it least."""
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    L, L_prime = SCORE_BOUND * math.sqrt(mdp.n), smoothness(mdp.r_bar, mdp.gamma)
    # (9) knows nothing of σ, τ and the number of cells.
    constants = Constants(c, rho, math.nan, 0, mdp.r_bar, mdp.gamma, math.nan)
    return theorem5(M, best_eta(M, L, L_prime, mdp.r_bar, mdp.gamma), DELTA, L, L_prime, kappa, constants)


def left_of_9(rows: Sequence[StationarityRow]) -> tuple[float, float]:
    """Σ η_m ‖∇J(θ(m))‖² / Σ η_m over the recorded iterations of ONE run, and its certified error; η_m ∝ 1/√(m+1).

    (9) sums m = 0, …, M-1: the last record, θ(M), is not part of it. Raises ValueError for rows of several runs or
    fewer than two records.
    """
    if len({(row.instance, row.kappa, row.seed) for row in rows}) != 1:
        raise ValueError("left_of_9 takes the rows of one run: one instance, one kappa, one seed")
    last = max(row.m for row in rows)
    used = [row for row in rows if row.m < last]
    if not used:
        raise ValueError("left_of_9 needs at least two recorded iterations, the last of which is theta(M)")
    weights = [1.0 / math.sqrt(row.m + 1.0) for row in used]
    total = math.fsum(weight * row.gradient_norm_squared for weight, row in zip(weights, used, strict=True))
    off = max(row.gradient_error * (2.0 * math.sqrt(row.gradient_norm_squared) + row.gradient_error) for row in used)
    # The mean itself rounds by a few units of what it is.
    return total / math.fsum(weights), off + 1e-14 * total / math.fsum(weights)


#: Length of a move of the tally's θ.
LENGTH = 0.01


def steep_moves(share: float) -> Iterator[Comparison]:
    """On the tally, away from the fair coin, where ∇J turns fastest: moves towards action 1 against a share of L'."""
    known = uniform_case("tally", tally(60, TALLY))
    mdp = known.mdp
    towards = np.array([[-0.5, 0.5], [-0.5, 0.5]])
    right, error = smoothness(mdp.r_bar, mdp.gamma), 2.0 * known.gradient_error
    for start in (0.05, 0.1):
        here, there = (policy_gradient(mdp, (towards * (start + move), known.theta[1]))[0] for move in (0.0, LENGTH))
        left = float(np.linalg.norm(there - here))
        yield Comparison("tally", f"{start} towards 1", SMOOTH, "", 0, 0, left, share * right * LENGTH, error)


CLAIM = Claim(
    order=180, words="Theorem 5: smoothness, ‖∇J‖, the T of (8), and (9) as printed",
    statement="‖∇J(θ')-∇J(θ)‖ ≤ L'‖θ'-θ‖; ‖∇J(θ)‖ ≤ r̄/(2√2 (1-γ)^{3/2}); 1/σ ≤ the T of (8); "
              "‖∇J(θ)‖², and its mean of (9) along runs, ≤ the right side of (9)",
    reference="Theorem 5, eqs. (8)-(9)", proof="theorem5", check=check, along_runs=(StationarityRow, along_runs),
    variants=(Variant(SMOOTH), Variant(NORM), Variant(LEAST_LENGTH),
              Variant(NINE, excuse="hardly ever below its trivial bound"), Variant(ALONG_RUNS, excuse="needs runs")),
    drawing=Drawing("theorem5",
                    lines={LEAST_LENGTH: r"$1/\sigma$ and the least $T$ of (8)", NINE: r"(9): $\|\nabla J(\theta)\|^2$",
                           ALONG_RUNS: "(9) along runs: its weighted mean"}),
    attack=Attack(stream=12, built=("gate", "latch .9")),
    plants=(Plant(FACTOR, SMOOTH, partial(steep_moves, 1.0), rows=partial(steep_moves, 1.0 - TALLY)),
            *planted(FACTOR, "tally", times(1.0 - TALLY), NORM)),
    hidden={EXPONENT: "ε_κ of (9) is above the trivial bound wherever it is compared"},
)  # fmt: skip
