"""Softmax policies and their scores."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sacrepro
from sacrepro import InputWarning, Policy, as_coupled, evaluate, exact, softmax
from sacrepro.exact import dense
from sacrepro.instances import build
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn.samples import samples
from sacrepro.model.policy import SCORE_BOUND, check_theta, gaussian_theta, policies, score, score_norm, uniform_theta
from sacrepro.simulate import Simulator, as_simulator, rollout_by_steps
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


def test_logits_beyond_the_range_of_differences_are_logits():
    """Seen: a warning of numpy's about an overflow in a subtraction."""
    assert softmax(np.array([[1e308, -1e308]])).tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("wrong", [None, 5, "ab", {0: 1}])
def test_a_policy_is_a_sequence_of_blocks(wrong):
    for make, name in ((Policy, "zeta"), (Policy.from_logits, "theta")):
        with pytest.raises(TypeError, match=f"{name} must be a sequence .* got {type(wrong).__name__}"):
            make(wrong)


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
        (np.array(0.0), "theta must be a sequence of arrays, one an agent, got ndarray"),
        ({0: 1, 1: 2}, r"got dict; of a dict by agent pass \[theta\[i\] for i in range\(2\)\]"),
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


@pytest.mark.filterwarnings("error")
def test_numbers_beyond_the_range_of_floats_are_refused():
    """Seen: "int too large to convert to float", and a warning of a cast."""
    with pytest.raises(ValueError, match=r"theta_i has an integer beyond the largest float, 1.8e\+308"):
        softmax([[10**400, 1]])
    with pytest.raises(ValueError, match=r"theta_i has logits .* in state 0; expected finite ones"):
        softmax(np.array([["1e400", "1"]]).astype(np.longdouble))


@pytest.mark.parametrize("theta_of", [uniform_theta, lambda mdp: check_theta(mdp, []), lambda mdp: policies(mdp, [])])
def test_a_policy_is_of_a_model(theta_of):
    with pytest.raises(TypeError, match="expected a model such as a NetworkedMDP, got NoneType"):
        theta_of(None)
    with pytest.raises(TypeError, match="expected a model such as a NetworkedMDP, got NoneType"):
        gaussian_theta(None, np.random.default_rng(0))


def model():
    return random_mdp(nx.path_graph(3), seed=0, gamma=0.9, state_sizes=(2, 3, 2), action_sizes=(2, 3, 1))


def stochastic(mdp, seed=0):
    return policies(mdp, gaussian_theta(mdp, np.random.default_rng(seed)))


def deterministic(mdp):
    """Every agent plays action s mod A_i."""
    return Policy.of(mdp, lambda i, s: s % mdp.action_sizes[i])


RUN = {"kappa": 1, "M": 2, "T": 10, "h": 1.0, "t0": 2.0, "eta": 1.0}
Q_HAT = [np.ones(shape) for shape in ((2, 1, 1, 2, 1, 1), (1, 3, 1, 1, 3, 1), (1, 1, 2, 1, 1, 1))]

#: Every public function of a policy, and whether it refuses ζ = 0, being of θ = log ζ; learners keep ζ = 0.
OF_A_POLICY = {
    "evaluate": (lambda m, theta: evaluate(m, theta)[0], False),
    "q_function": (lambda m, theta: sacrepro.q_function(m, theta, 1), False),
    "discounted_state_distribution": (sacrepro.discounted_state_distribution, False),
    "decay_profile": (sacrepro.decay_profile, False),
    "certified_decay": (lambda m, theta: sacrepro.certified_decay(m, theta)[1], False),
    "local_value": (lambda m, theta: sacrepro.local_value(m, theta, 0).V, False),
    "local_decay": (lambda m, theta: sacrepro.local_decay(m, theta, 0, 1)[1], False),
    "natural_weights": (lambda m, theta: sacrepro.natural_weights(m, theta, 0, 1), False),
    "natural_mean": (lambda m, theta: exact.natural_mean(m, theta, 0, 1), False),
    "td_fixed_point": (lambda m, theta: sacrepro.td_fixed_point(m, theta, 0, 1), False),
    "policy_gradient": (lambda m, theta: sacrepro.policy_gradient(m, theta)[1], True),
    "objective_and_gradient": (lambda m, theta: sacrepro.objective_and_gradient(m, theta)[1][1], True),
    "natural_truncated_gradient": (lambda m, theta: exact.natural_truncated_gradient(m, theta, 1)[1], True),
    "truncated_policy_gradient": (lambda m, theta: sacrepro.truncated_policy_gradient(m, theta, Q_HAT, 0)[1], True),
    "sac": (lambda m, theta: sacrepro.sac(m, theta, **RUN, seed=0).theta[1], False),
    "sac_seeds": (lambda m, theta: sacrepro.sac_seeds(m, theta, **RUN, seeds=(0,))[0].theta[1], False),
    "pairwise": (lambda m, theta: sacrepro.pairwise(m, theta, **RUN, seed=0).theta[1], False),
    "reinforce": (lambda m, theta: sacrepro.reinforce(m, theta, kappa=1, M=2, T=10, eta=1.0, seed=0).theta[1], False),
    "samples": (lambda m, theta: samples(m, theta, 0, kappa=1, T=9, h=1.0, t0=2.0, seeds=(0,)).g_hat[1], False),
}


@pytest.mark.parametrize("name", OF_A_POLICY)
@pytest.mark.parametrize("kind", ["stochastic", "deterministic", "coupled"])
def test_policies_are_taken_as_policies(name, kind):
    mdp = model()
    policy = deterministic(mdp) if kind == "deterministic" else Policy(stochastic(mdp))
    function, in_theta = OF_A_POLICY[name]
    if kind == "coupled":
        mdp = as_coupled(mdp)
        if name in ("local_value", "local_decay", "natural_mean"):
            return
    if in_theta and kind == "deterministic":
        with pytest.raises(ValueError, match=r"zeta\[0\] of agent 0 has probability 0 for action 1 .*θ = log ζ"):
            function(mdp, policy)
        return
    assert function(mdp, policy) == pytest.approx(function(mdp, policy.theta), abs=1e-8)


@pytest.mark.parametrize("name", OF_A_POLICY)
def test_probabilities_given_as_logits_are_told(name):
    mdp = model()
    with pytest.warns(InputWarning, match=r"row of theta0? is a distribution.*pass sacrepro.Policy\(theta") as told:
        OF_A_POLICY[name][0](mdp, stochastic(mdp))
    assert [record.filename for record in told] == [__file__]


def test_the_warning_is_of_a_wrong_number():
    """Seen: 6.678 for 8.5, the value of the policy that was meant."""
    mdp = model()
    zeta = deterministic(mdp).zeta
    with pytest.warns(InputWarning):
        taken = evaluate(mdp, zeta).J
    meant = float(np.sum(mdp.joint_pi0() * dense.values(mdp, zeta).mean(axis=0)))
    assert abs(taken - meant) > 0.01
    assert pytest.approx(meant, abs=1e-9) == evaluate(mdp, Policy(zeta)).J


@pytest.mark.parametrize("theta_i", [[[0.0, 0.0]], [[0.5, 0.5]], [[0.9, 0.1 + 1e-5]], [[2.0, -1.0]], [[0.0, -np.inf]]])
def test_logits_are_not_told_off(theta_i):
    """Also not where uniform probabilities are the uniform policy either way."""
    mdp = random_mdp(nx.path_graph(2), seed=0, gamma=0.9, state_sizes=(1, 1), action_sizes=(2, 2))
    assert evaluate(mdp, (np.array(theta_i),) * 2).J > 0
    assert evaluate(mdp, (np.array([[0.9, 0.1]]), np.array([[0.9, 0.2]]))).J > 0


def test_policies_are_sampled():
    mdp = model()
    policy = deterministic(mdp)
    trajectory = Simulator(mdp).rollout(policy, 50, seed=1, m=0)
    assert (trajectory.a == trajectory.s % np.array(mdp.action_sizes)[:, None]).all()
    assert (rollout_by_steps(mdp, policy, 50, seed=1, m=0).a == trajectory.a).all()
    stepped = as_simulator(as_coupled(mdp)).rollout(policy, 20, seed=1, m=0)
    assert (stepped.a == stepped.s % np.array(mdp.action_sizes)[:, None]).all()
    with pytest.raises(ValueError, match=r"zeta\[0\] of agent 0 must hold one distribution .* sacrepro.softmax"):
        Simulator(mdp).rollout(uniform_theta(mdp), 50, seed=1, m=0)


def test_rules_are_actions_or_distributions():
    mdp = model()
    policy = Policy.of(mdp, lambda i, s: np.full(3, 1 / 3) if i == 1 else np.int64(0))
    assert policy.zeta[1].tolist() == np.full((3, 3), 1 / 3).tolist()
    assert policy.zeta[0].tolist() == [[1.0, 0.0]] * 2
    assert repr(deterministic(mdp)) == "Policy(n=3, S=(2, 3, 2), A=(2, 3, 1), deterministic)"
    assert Policy.from_logits(uniform_theta(mdp)).zeta[0].tolist() == [[0.5, 0.5]] * 2
    with pytest.raises(ValueError, match="read-only"):
        policy.zeta[0][0, 0] = 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Policy([[[0.5, 0.6]]]), r"zeta\[0\] of agent 0 sums to 1.1 in row \(0,\), expected 1"),
        (lambda: Policy([[[-0.5, 1.5]]]), r"zeta\[0\] of agent 0 has entry -0.5 at \(0, 0\)"),
        (lambda: Policy([[0.5, 0.5]]), r"zeta\[0\] of agent 0 has shape \(2,\), expected \(S_0, A_0\)"),
        (lambda: Policy([]), "zeta holds no array"),
        (lambda: Policy.of(model(), lambda i, s: 2), r"rule\(0, 0\) is action 2, but agent 0 has 0..1"),
        (lambda: Policy.of(model(), lambda i, s: [1.0]), r"rule\(0, 0\) must be an action or a distribution over 2"),
        (lambda: evaluate(model(), Policy([[[1.0]]])), "zeta holds 1 arrays, but there are 3 agents"),
        (lambda: sacrepro.local_value(model(), Policy([[[1.0]]]), 2), "zeta holds 1 arrays"),
        (lambda: evaluate(model(), Policy([[[1.0]]] * 3)), r"zeta\[0\] .* has shape \(1, 1\), expected \(2, 2\)"),
    ],
)
def test_what_is_no_distribution_is_no_policy(make, message):
    with pytest.raises(ValueError, match=message):
        make()
    with pytest.raises(TypeError, match=r"rule must be a function of \(i, s_i\), got dict; of a dictionary by \(agent"):
        Policy.of(model(), {(0, 0): 1})


def test_a_softmax_without_actions_is_refused():
    with pytest.raises(ValueError, match="there is no action"):
        softmax(np.zeros((2, 0)))
