"""Action-coupled models: every exact quantity against enumeration, and a plain model embedded against itself."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brute_force import CoupledBruteForce
from sacrepro import (
    CoupledMDP,
    as_coupled,
    certified_decay,
    decay_profile,
    discounted_state_distribution,
    evaluate,
    natural_weights,
    neighborhood,
    objective_and_gradient,
    policy_gradient,
    q_function,
    td_fixed_point,
    truncate,
    truncated_policy_gradient,
)
from sacrepro.exact import natural_truncated_gradient
from sacrepro.exact.solver.occupancy import state_law
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.policy import gaussian_theta, policies, uniform_theta
from strategies import cases, coupled_cases

#: Certified errors are at most 1e-10; enumeration adds its own rounding, far below the rest.
CLOSE = 2e-10


def table(Q_i, brute):
    """A dict over (s, a) as an array."""
    return np.array([Q_i[pair] for pair in brute.pairs]).reshape(*brute.S, *brute.A)


@settings(max_examples=60, deadline=None)
@given(coupled_cases())
def test_everything_agrees_with_enumeration(case):
    mdp, theta = case
    zeta = policies(mdp, theta)
    brute = CoupledBruteForce(mdp, zeta)
    Q = brute.q()
    scale = max(1.0, mdp.r_bar) / (1.0 - mdp.gamma)
    evaluation = evaluate(mdp, theta)
    objective = objective_and_gradient(mdp, theta)
    law = state_law(mdp, theta)
    pi = brute.occupancy()
    for i in range(mdp.n):
        assert np.abs(q_function(mdp, theta, i) - table(Q[i], brute)).max() <= CLOSE * scale
        V_i = brute.v(Q[i])
        assert all(abs(evaluation.V[(i, *s)] - V_i[s]) <= evaluation.error + 1e-13 * scale for s in brute.states)
        block = brute.gradient(lambda s, a: sum(Q_j[s, a] for Q_j in Q) / mdp.n, i)
        assert np.linalg.norm(objective.gradient[i] - block) <= objective.gradient_error + 1e-12 * scale**2
    assert abs(evaluation.J - brute.objective(Q)) <= evaluation.J_error + 1e-13 * scale
    assert abs(objective.J - brute.objective(Q)) <= objective.J_error + 1e-13 * scale
    assert sum(abs(law.pi[s] - pi[s]) for s in brute.states) <= law.error + 1e-12
    assert discounted_state_distribution(mdp, theta).sum() == pytest.approx(1.0, abs=1e-9)
    bounds = certified_decay(mdp, theta)
    D = decay_profile(mdp, theta)
    for i in range(mdp.n):
        for kappa in range(D.shape[1]):
            exact = brute.decay(Q[i], i, kappa)
            assert bounds.lower[i, kappa] - 1e-13 * scale <= exact <= bounds.upper[i, kappa] + 1e-13 * scale
            assert D[i, kappa] == pytest.approx(exact, abs=CLOSE * scale)


@settings(max_examples=40, deadline=None)
@given(coupled_cases())
def test_truncation_agrees_with_enumeration(case):
    """Natural weights and the ĥ_i of eq. (7), term by term."""
    mdp, theta = case
    brute = CoupledBruteForce(mdp, policies(mdp, theta))
    Q = brute.q()
    scale = max(1.0, mdp.r_bar) / (1.0 - mdp.gamma) ** 2
    for kappa in (0, 1):
        Q_hat = []
        for i in range(mdp.n):
            w = natural_weights(mdp, theta, i, kappa)
            law = brute.natural(i, kappa)
            for s, a in brute.pairs:
                if law[s, a] is not None:
                    assert w[(*s, *a)] == pytest.approx(law[s, a], abs=1e-6)
            Q_hat.append(truncate(table(Q[i], brute), neighborhood(mdp.graph, i, kappa), w))
        h_hat = truncated_policy_gradient(mdp, theta, Q_hat, kappa)
        for i in range(mdp.n):

            def held(s, a, i=i, Q_hat=Q_hat, kappa=kappa):
                total = 0.0
                for j in brute.hood(i, kappa):
                    place = [x if j_ in brute.hood(j, kappa) else 0 for j_, x in enumerate(s)]
                    place += [x if j_ in brute.hood(j, kappa) else 0 for j_, x in enumerate(a)]
                    total += Q_hat[j][tuple(place)]
                return total / mdp.n

            assert np.abs(h_hat[i] - brute.gradient(held, i)).max() <= CLOSE * scale


@settings(max_examples=60, deadline=None)
@given(cases(max_n=3))
def test_an_embedded_plain_model_gives_the_same(case):
    mdp, theta = case
    coupled = as_coupled(mdp)
    scale = max(1.0, mdp.r_bar) / (1.0 - mdp.gamma)
    for i in range(mdp.n):
        assert np.abs(q_function(coupled, theta, i) - q_function(mdp, theta, i)).max() <= CLOSE * scale
    assert pytest.approx(evaluate(mdp, theta).J, abs=CLOSE * scale) == evaluate(coupled, theta).J
    assert np.abs(decay_profile(coupled, theta) - decay_profile(mdp, theta)).max() <= CLOSE * scale
    pi = discounted_state_distribution(mdp, theta)
    assert np.abs(discounted_state_distribution(coupled, theta) - pi).sum() <= CLOSE
    for one, other in zip(policy_gradient(coupled, theta), policy_gradient(mdp, theta), strict=True):
        assert np.abs(one - other).max() <= 10 * CLOSE * scale / (1.0 - mdp.gamma)


def large(n=8):
    """A coupled path whose tables exceed what one batch holds, so that the light cone of the rewards is used."""
    rng = np.random.default_rng(0)
    graph = nx.path_graph(n)
    P, r = [], []
    for i in range(n):
        size = len(neighborhood(graph, i, 1))
        draws = rng.standard_gamma(0.5, size=(2,) * (2 * size + 1)) + 1e-9
        P.append(draws / draws.sum(axis=-1, keepdims=True))
        r.append(rng.uniform(size=(2,) * (2 * size)))
    return CoupledMDP(graph, tuple(P), tuple(r), 0.7, (np.full(2, 0.5),) * n)


def test_light_cone_start_agrees_with_the_bellman_equation():
    """65,536 pairs: Q_i as computed satisfies Q = r + γ P^θ Q within its certificate, and J has one value."""
    mdp = large()
    theta = gaussian_theta(mdp, np.random.default_rng(1))
    from sacrepro.exact.chain import chain_of
    from sacrepro.exact.solver.bellman import START_ENTRIES, values

    chain = chain_of(mdp, theta)
    assert chain.entries >= START_ENTRIES
    i = 3
    Q, error, _ = values(chain, 1e-10, [i])
    shaped = Q[0].reshape(chain.sizes)
    reward = chain.rewards[i].reshape([chain.sizes[j] if j in mdp.neighbors[i] else 1 for j in range(8)])
    residual = reward + mdp.gamma * chain.operator(shaped) - shaped
    assert np.abs(residual).max() <= 2 * error
    assert pytest.approx(evaluate(mdp, theta).J, abs=1e-9) == objective_and_gradient(mdp, theta).J


@settings(max_examples=30, deadline=None)
@given(coupled_cases(min_n=2), st.integers(0, 2))
def test_natural_gradients_are_those_of_natural_weights(case, kappa):
    mdp, theta = case
    Q_hat = [
        truncate(q_function(mdp, theta, j), neighborhood(mdp.graph, j, kappa), natural_weights(mdp, theta, j, kappa))
        for j in range(mdp.n)
    ]
    scale = max(1.0, mdp.r_bar) / (1.0 - mdp.gamma) ** 2
    blocks = zip(
        natural_truncated_gradient(mdp, theta, kappa), truncated_policy_gradient(mdp, theta, Q_hat, kappa), strict=True
    )
    assert all(np.abs(one - other).max() <= CLOSE * scale for one, other in blocks)


def positive(mdp):
    """The same model with every kernel mixed with the uniform law, so that its stationary law is unique."""
    P = tuple(0.9 * P_i + 0.1 / P_i.shape[-1] for P_i in mdp.P)
    return CoupledMDP(mdp.graph, P, mdp.r, mdp.gamma, mdp.pi0)


@settings(max_examples=30, deadline=None)
@given(coupled_cases(), st.integers(0, 2))
def test_td_settles_where_its_mean_update_vanishes(case, kappa):
    """E_μ[1{cell}(r_i + γ q(x') - q(x))] = 0 for every cell, by enumeration of the pairs."""
    mdp, theta = positive(case[0]), case[1]
    brute = CoupledBruteForce(mdp, policies(mdp, theta))
    size = len(brute.pairs)
    chain = np.empty((size, size))
    for x, (s, a) in enumerate(brute.pairs):
        chain[x] = [brute.step(s, a, s_next) * brute.act(s_next, a_next) for s_next, a_next in brute.pairs]
    mu = np.linalg.lstsq(np.vstack([chain.T - np.eye(size), np.ones(size)]), np.eye(size + 1)[-1], rcond=None)[0]
    for i in range(mdp.n):
        hood = neighborhood(mdp.graph, i, kappa)
        q = td_fixed_point(mdp, theta, i, kappa)
        cells = [(*(s[j] if j in hood else 0 for j in range(mdp.n)), *(a[j] if j in hood else 0 for j in range(mdp.n)))
                 for s, a in brute.pairs]  # fmt: skip
        at = np.array([q[cell] for cell in cells])
        update = np.array([brute.reward(i, s, a) for s, a in brute.pairs]) + mdp.gamma * chain @ at - at
        for cell in set(cells):
            here = [x for x, other in enumerate(cells) if other == cell]
            assert abs(mu[here] @ update[here]) <= 1e-9 * max(1.0, mdp.r_bar / (1.0 - mdp.gamma))


def test_limits_that_are_asked_for_are_kept():
    """`work`, `sweep_limit` and `slack` were dropped without a word."""
    mdp = large(3)
    theta = uniform_theta(mdp)
    with pytest.raises(ValueError, match=r"Q_i has \d+ entries, which exceeds work = 10"):
        decay_profile(mdp, theta, work=10)
    with pytest.raises(ValueError, match=r"Q_i has \d+ entries, which exceeds sweep_limit = 10"):
        certified_decay(mdp, theta, sweep_limit=10)
    with pytest.raises(ValueError, match="slack must be at least 0"):
        certified_decay(mdp, theta, slack=-1.0)
    with pytest.raises(TypeError, match=r"agents must be a sequence of integers such as \(0,\), got 3"):
        certified_decay(mdp, theta, 3)


def test_refusals_name_what_is_wrong():
    mdp = large(3)
    theta = uniform_theta(mdp)
    with pytest.raises(ValueError, match="agent 3 is not in the model"):
        q_function(mdp, theta, 3)
    with pytest.raises(ValueError, match=r"theta\[1\] of agent 1 has shape"):
        evaluate(mdp, [theta[0], np.zeros((3, 2)), theta[2]])
    with pytest.raises(ValueError, match="tol must be positive"):
        evaluate(mdp, theta, 0.0)
    with pytest.raises(ValueError, match="kappa must be at least 0"):
        certified_decay(mdp, theta, kappas=[-1])
    with pytest.raises(MemoryError, match="value tables"):
        q_function(mdp, theta, 0, memory_limit=100)


@pytest.mark.parametrize(("scale", "gamma"), [(1e-20, 0.9), (1.0, 0.9999), (1e9, 0.9)])
def test_profiles_are_relative_to_the_rewards(scale, gamma):
    """Without a tolerance D_i(κ) is close to rounding, whatever the rewards' size and however near 1 γ is."""
    plain = random_mdp(nx.path_graph(3), seed=2, gamma=gamma)
    mdp = as_coupled(plain)
    theta = uniform_theta(mdp)
    scaled = CoupledMDP(mdp.graph, mdp.P, tuple(scale * r_i for r_i in mdp.r), gamma, mdp.pi0)
    assert decay_profile(scaled, theta) / scale == pytest.approx(decay_profile(plain, theta), rel=1e-6, abs=1e-9)
