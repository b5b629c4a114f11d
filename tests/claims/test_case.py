"""Cases are what the engine returns, and come back from a file as they went."""

import weakref

import numpy as np
import pytest

from sacrepro.exact import certified_decay, evaluate, objective_and_gradient
from sacrepro.exact.solver.occupancy import state_law
from sacrepro.instances import build
from sacrepro.model.policy import gaussian_theta, uniform_theta
from sacrepro.study.record.case import arrays, cases, exact_cases, once

SPEC = {"model": "random", "graph": {"family": "path", "n": 3}, "seed": 1, "gamma": 0.6, "concentration": 0.3}
MDP = build(SPEC)


@pytest.fixture(scope="module")
def drawn():
    return list(exact_cases("here", MDP, 3, 5, 0.7))


def test_the_policies_are_the_uniform_one_and_gaussian_ones(drawn):
    assert [(case.instance, case.policy) for case in drawn] == [
        ("here", "uniform"), ("here", "gaussian 1"), ("here", "gaussian 2"),
    ]  # fmt: skip
    rng = np.random.default_rng(5)
    expected = [uniform_theta(MDP), gaussian_theta(MDP, rng, 0.7), gaussian_theta(MDP, rng, 0.7)]
    for case, theta in zip(drawn, expected, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(case.theta, theta, strict=True))


def test_a_case_holds_what_the_engine_returns(drawn):
    case = drawn[1]
    found, law = evaluate(MDP, case.theta), state_law(MDP, case.theta)
    lower, upper = certified_decay(MDP, case.theta)
    objective = objective_and_gradient(MDP, case.theta)
    assert case.mdp is MDP
    assert np.array_equal(case.V, found.V)
    assert (case.J, case.error) == (found.J, found.error)
    assert np.array_equal(case.pi_theta, law.pi)
    assert case.pi_error == law.error
    assert pytest.approx(0.5 * (lower + upper)) == case.D
    assert pytest.approx(0.5 * (upper - lower).max()) == case.D_error
    assert case.nabla_error == objective.gradient_error
    assert all(np.array_equal(a, b) for a, b in zip(case.gradient, objective.gradient, strict=True))


def test_stored_cases_come_back(drawn):
    stored = arrays(SPEC, drawn)
    assert set(stored) == {
        "spec", "instance", "policy", "V", "J", "error", "pi_theta", "pi_error", "D", "D_error", "nabla_error",
        *(f"{name}_{i}" for name in ("theta", "gradient") for i in range(3)),
    }  # fmt: skip
    assert str(stored["spec"]).startswith('{"concentration": 0.3, "gamma"')
    for case, again in zip(drawn, cases(stored), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(again.mdp.P, MDP.P, strict=True))
        for name in ("instance", "policy", "J", "error", "pi_error", "D_error", "nabla_error"):
            assert getattr(case, name) == getattr(again, name)
        for name in ("V", "pi_theta", "D"):
            assert np.array_equal(getattr(case, name), getattr(again, name))
        for name in ("theta", "gradient"):
            assert all(np.array_equal(a, b) for a, b in zip(getattr(case, name), getattr(again, name), strict=True))


def test_a_case_is_measured_once_for_all_claims_and_no_longer_than_it_is_there(drawn):
    asked = []

    @once
    def agents(case):
        asked.append(case.policy)
        return [case.mdp.n]

    (first, second) = cases(arrays(SPEC, drawn[:2]))
    assert agents(first) is agents(first)
    assert agents(second) is not agents(first)
    assert asked == [first.policy, second.policy]
    kept = weakref.ref(first)
    del first
    assert kept() is None
