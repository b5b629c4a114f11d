"""Softmax policies and their scores."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sacrepro import softmax
from sacrepro.instances import build
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.policy import SCORE_BOUND, check_theta, gaussian_theta, policies, score, score_norm, uniform_theta
from strategies import arrays

LOGITS = st.tuples(st.integers(1, 3), st.integers(1, 3)).flatmap(lambda shape: arrays(shape, -20, 20))


@given(LOGITS)
def test_softmax_is_a_distribution_and_ignores_shifts(theta_i):
    zeta_i = softmax(theta_i)
    assert np.allclose(zeta_i.sum(axis=1), 1.0, rtol=0, atol=1e-15)
    assert (zeta_i > 0).all()
    assert np.allclose(softmax(theta_i + 1000.0), zeta_i, rtol=1e-12)


@given(LOGITS)
def test_score_is_the_derivative_of_log_zeta(theta_i):
    zeta_i = softmax(theta_i)
    h = 1e-6
    for s, b in np.ndindex(*theta_i.shape):
        step = np.zeros_like(theta_i)
        step[s, b] = h
        slope = (np.log(softmax(theta_i + step)) - np.log(softmax(theta_i - step))) / (2 * h)
        assert np.allclose(slope[s], score(zeta_i)[s, :, b], atol=1e-6)
        assert np.allclose(np.delete(slope, s, axis=0), 0.0)


@given(LOGITS)
def test_score_has_zero_mean_and_norm_below_the_bound(theta_i):
    zeta_i = softmax(theta_i)
    assert np.allclose(np.einsum("sa,sab->sb", zeta_i, score(zeta_i)), 0.0, atol=1e-15)
    assert score_norm(zeta_i) <= SCORE_BOUND


def test_score_bound_is_tight():
    assert score_norm(softmax(np.array([[50.0, 0.0]]))) == pytest.approx(SCORE_BOUND, rel=1e-15)


def test_infinite_logits_make_deterministic_policies():
    assert softmax(np.array([[0.0, -np.inf]])).tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("logits", [[0.0, np.nan], [np.inf, 0.0], [-np.inf, -np.inf]])
def test_softmax_refuses_logits_without_a_policy(logits):
    with pytest.raises(ValueError, match="in state 1"):
        softmax(np.array([[0.0, 0.0], logits]))


def test_policies_name_the_agent():
    mdp = build({"model": "relay", "n": 3, "gamma": 0.9})
    theta = [*uniform_theta(mdp)]
    with pytest.raises(ValueError, match="theta holds 2 arrays, but there are 3 agents"):
        check_theta(mdp, theta[:2])
    theta[1] = np.zeros((2, 3))
    with pytest.raises(ValueError, match=r"theta\[1\] of agent 1 has shape \(2, 3\), expected \(2, 2\)"):
        policies(mdp, theta)
    theta[1] = np.full((2, 2), np.nan)
    with pytest.raises(ValueError, match="agent 1: theta_i has logits"):
        policies(mdp, theta)


@pytest.mark.parametrize(
    ("theta", "message"),
    [
        (None, "theta must be a sequence of arrays, one an agent, got NoneType"),
        ("ab", "theta must be a sequence of arrays, one an agent, got str"),
        ([np.zeros((2, 2)), "b"], r"theta\[1\] of agent 1 must hold real numbers, got 'b'"),
        ([np.zeros((2, 2)), np.zeros((2, 2), complex)], r"theta\[1\] of agent 1 must hold real numbers"),
    ],
)
def test_what_is_no_policy_is_refused(theta, message):
    with pytest.raises(TypeError, match=message):
        check_theta(random_mdp(nx.path_graph(2), seed=0, gamma=0.9), theta)


@pytest.mark.parametrize("theta_i", [[["0", "1"]], np.zeros((2, 2), complex), None, [[1.0], [1.0, 2.0]]])
def test_softmax_is_of_real_numbers(theta_i):
    with pytest.raises(TypeError, match="theta_i must hold real numbers"):
        softmax(theta_i)


@pytest.mark.parametrize("theta_of", [uniform_theta, lambda mdp: check_theta(mdp, []), lambda mdp: policies(mdp, [])])
def test_a_policy_is_of_a_model(theta_of):
    with pytest.raises(TypeError, match="expected a model such as a NetworkedMDP, got NoneType"):
        theta_of(None)
    with pytest.raises(TypeError, match="expected a model such as a NetworkedMDP, got NoneType"):
        gaussian_theta(None, np.random.default_rng(0))


def test_a_softmax_without_actions_is_refused():
    with pytest.raises(ValueError, match="there is no action"):
        softmax(np.zeros((2, 0)))
