"""Cases are what the engine returns, and come back from a file as they went."""

import weakref

import numpy as np
import pytest

from sacrepro.exact import certified_decay, evaluate, objective_and_gradient
from sacrepro.exact.solver.occupancy import state_law
from sacrepro.instances import build
from sacrepro.model import memory
from sacrepro.model.graph import diameter
from sacrepro.model.policy import gaussian_theta, uniform_theta
from sacrepro.study.claims import claim
from sacrepro.study.record.case import Case, arrays, cases, exact_cases, once

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


def unsolved(spec):
    """A case with every number right in shape alone."""
    mdp = build(spec)
    theta = uniform_theta(mdp)
    law, D = np.full(mdp.state_sizes, 1.0 / np.prod(mdp.state_sizes)), np.ones((mdp.n, diameter(mdp.graph) + 1))
    return Case(
        "large", "uniform", mdp, theta, np.zeros((mdp.n, *mdp.state_sizes)), 0.0, 0.0, law, 0.0, D, 0.0, theta, 0.0
    )


@pytest.mark.parametrize(
    ("names", "needed"),
    [
        (("actions_one_hop_later", "td_fixed_point", "critic_sharp"), r"5 tables over all 1073741824 pairs \(s, a\)"),
        (("truncation", "lemma4", "lemma4_sharp", "lemma4_vector"), r"27 tables over all 1073741824 pairs"),
        (("lemma1", "appendix_a", "light_cone"), "P^θ over 32768 joint states"),
    ],
)
def test_a_claim_refuses_tables_that_do_not_fit_before_it_begins(names, needed, monkeypatch):
    monkeypatch.setattr(memory, "_given", [])
    memory.give(8 * 10**9)
    large = unsolved({"model": "sis", "graph": {"family": "florentine_families"}, "gamma": 0.8})
    for name in names:
        with pytest.raises(MemoryError, match=f"{needed}.* needs .* allowed".replace("^", r"\^")):
            next(claim(name).check(large))


def few_that_choose(n):
    """A path whose first three agents have two states and two actions, all others one of each."""
    sizes = [2] * 3 + [1] * (n - 3)
    graph = {"family": "path", "n": n}
    return {"model": "random", "graph": graph, "seed": 0, "gamma": 0.5, "state_sizes": sizes, "action_sizes": sizes}


@pytest.mark.parametrize("name", ["td_fixed_point", "assumption3", "theorem5"])
def test_a_claim_takes_agents_beyond_the_names_of_einsum(name):
    (case,) = exact_cases("many agents", build(few_that_choose(18)), 1, 0, 1.0)
    rows = list(claim(name).check(case))
    assert rows
    assert {row.kappa for row in rows} >= ({0} if name == "theorem5" else {0, 8, 16})
    assert all(row.left <= row.right + row.error for row in rows)


@pytest.mark.parametrize("name", ["lemma1", "td_fixed_point", "anatomy", "lemma4", "assumption3", "critic"])
def test_a_claim_refuses_more_agents_than_an_array_has_axes_for(name):
    with pytest.raises(ValueError, match="over all 33 agents has 2 axes an agent"):
        list(claim(name).check(unsolved(few_that_choose(33))))
