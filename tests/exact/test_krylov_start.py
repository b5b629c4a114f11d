"""The first iterate from the light cone: close to V_i^θ in few products, and never trusted."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

from sacrepro.exact import dense, evaluate
from sacrepro.exact.chain import chain_of
from sacrepro.exact.solver import bellman, krylov
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.instances.relay import relay
from sacrepro.model.policy import policies, uniform_theta
from strategies import cases


@pytest.fixture
def always(by_products, monkeypatch):
    """Every table starts from the light cone, and every cone is left as soon as it can be."""
    monkeypatch.setattr(bellman, "START_ENTRIES", 1)
    monkeypatch.setattr(krylov, "FREE_ENTRIES", 1)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_values_from_any_start_are_the_oracle_s(case):
    mdp, theta = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sacrepro.exact.chain.MATRIX_ENTRIES", 0)
        patch.setattr(bellman, "START_ENTRIES", 1)
        patch.setattr(krylov, "FREE_ENTRIES", 1)
        result = evaluate(mdp, theta)
        J = bellman.mean_values(chain_of(mdp, theta), 1e-10, [tuple(range(mdp.n))])[0]
    V = dense.values(mdp, policies(mdp, theta))
    # The dense solve loses its condition number times some units.
    slack = 800 * 2.0**-53 * mdp.r_bar / (1 - mdp.gamma) ** 2
    assert np.abs(result.V - V).max() <= result.error + slack
    assert np.abs(J[0].reshape(mdp.state_sizes) - V.mean(axis=0)).max() <= 1e-10 + slack


def test_few_products_suffice_where_value_iteration_needs_many(monkeypatch):
    mdp = random_mdp(nx.path_graph(14), seed=14, gamma=0.9)
    started = evaluate(mdp, uniform_theta(mdp))
    monkeypatch.setattr(bellman, "START_ENTRIES", 1 << 60)
    iterated = evaluate(mdp, uniform_theta(mdp))
    assert started.products <= 0.75 * iterated.products
    assert np.abs(started.V - iterated.V).max() <= started.error + iterated.error


def test_a_nilpotent_chain_is_solved_by_its_first_powers(always):
    """On the relay P^t r_i stops changing after i steps: no column is left to add, and the start is exact."""
    mdp = relay(5, gamma=0.9)
    result = evaluate(mdp, uniform_theta(mdp))
    s = np.indices(mdp.state_sizes)
    for i in range(5):
        V_i = sum(0.9**t * s[max(i - t, 0)] for t in range(400))
        assert np.abs(result.V[i] - V_i).max() <= result.error + 1e-12
    assert result.products <= 8


def test_a_wrong_start_changes_nothing_but_the_work(always, monkeypatch):
    """The certificate judges: a start that is far off costs products, not accuracy."""
    mdp = random_mdp(nx.cycle_graph(5), seed=3, gamma=0.9)
    expected = evaluate(mdp, uniform_theta(mdp))

    def astray(chain, axes, reward, tol, out):
        out[...] = np.random.default_rng(1).uniform(-50, 50, out.shape)
        return 0

    monkeypatch.setattr(bellman, "krylov_start", astray)
    result = evaluate(mdp, uniform_theta(mdp))
    assert np.abs(result.V - expected.V).max() <= result.error + expected.error
