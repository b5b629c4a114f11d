"""The joint model in other libraries' hands: J and J_sup computed by them, from what they were given or read back."""

import doctest

import networkx as nx
import numpy as np
import pytest

from sacrepro import CountedMDP, Policy, as_coupled, best_joint, best_localized, evaluate
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.policy import gaussian_theta

MDP = random_mdp(nx.path_graph(3), seed=2, gamma=0.9, state_sizes=(2, 3, 2), action_sizes=(2, 2, 3), concentration=0.3)
THETA = gaussian_theta(MDP, np.random.default_rng(0))


def counted():
    """Two agents that see each other through a sum."""
    rng = np.random.default_rng(0)
    P = tuple(rng.dirichlet([1.0, 1.0], size=(2, 2, 2)) for _ in range(2))
    return CountedMDP(
        nx.path_graph(2), P, tuple(rng.random((2, 2)) for _ in range(2)), 0.8, (np.array([0.3, 0.7]),) * 2
    )


MODELS = {"tables": MDP, "counted": counted(), "coupled": as_coupled(counted())}


def theta_of(mdp):
    return gaussian_theta(mdp, np.random.default_rng(1))


@pytest.fixture
def quantecon():
    pytest.importorskip("quantecon", reason="quantecon is an optional extra, pip install -e '.[quantecon]'")
    import sacrepro.adapters.quantecon as adapter

    return adapter


@pytest.mark.parametrize("name", MODELS)
def test_quantecon_agrees_on_J(name, quantecon):
    mdp = MODELS[name]
    theta, start = theta_of(mdp), mdp.joint_pi0().ravel()
    V, J, *_ = evaluate(mdp, theta)
    chain = quantecon.to_quantecon(mdp, theta)
    assert chain.num_states == len(start)
    assert abs(start @ chain.evaluate_policy(np.zeros(len(start), int)) - J) <= 1e-10
    for i in range(mdp.n):
        V_i = quantecon.to_quantecon(mdp, theta, agent=i).evaluate_policy(np.zeros(len(start), int))
        assert np.abs(V_i - V[i].ravel()).max() <= 1e-10


@pytest.mark.parametrize("name", MODELS)
def test_quantecon_agrees_on_the_yardsticks(name, quantecon):
    mdp = MODELS[name]
    ddp, start, best = quantecon.to_quantecon(mdp), mdp.joint_pi0().ravel(), best_joint(mdp)
    solved = ddp.solve(method="policy_iteration")
    assert abs(start @ solved.v - best.J) <= 1e-10 + best.J_error
    assert abs(start @ ddp.evaluate_policy(quantecon.joint_actions(mdp, best.policy)) - best.J) <= 1e-10
    localized = best_localized(mdp)
    sigma = quantecon.joint_actions(mdp, localized.policy)
    assert abs(start @ ddp.evaluate_policy(sigma) - localized.J) <= 1e-10


def test_quantecon_refusals_and_examples(quantecon):
    with pytest.raises(ValueError, match=r"zeta\[0\] of agent 0 is \[0.5, 0.5\] in state 0, .* are deterministic"):
        quantecon.joint_actions(MDP, Policy.of(MDP, lambda i, s: np.full(MDP.action_sizes[i], 1 / MDP.action_sizes[i])))
    with pytest.raises(ValueError, match=r"policy has shape \(3,\), expected \(2, 3, 2, 3\)"):
        quantecon.joint_actions(MDP, np.zeros(3))
    with pytest.raises(ValueError, match="134,217,728 entries"):
        quantecon.to_quantecon(random_mdp(nx.path_graph(9), seed=0, gamma=0.5))
    with pytest.raises(ValueError, match="agent 3 is not in the model"):
        quantecon.to_quantecon(MDP, agent=3)
    with pytest.raises(TypeError, match="expected a NetworkedMDP"):
        quantecon.to_quantecon(nx.path_graph(2))
    assert doctest.testmod(quantecon).failed == 0


@pytest.fixture
def umb():
    pytest.importorskip("umbi", reason="umbi is an optional extra, pip install -e '.[umb]'")
    import sacrepro.adapters.umb as adapter

    return adapter


def read_back(ats, path):
    """(rewards, laws) of every state's choices, from a file."""
    import umbi

    umbi.ats.write(ats, path)
    found = umbi.ats.read(path)
    reward = found.get_reward_annotation("reward").choice_values
    end = found.get_ap_annotation("end").state_values
    assert [s for s in found.states if end[s]] == [found.num_states - 1]
    assert found.initial_states == [0]
    tables = []
    for s in found.states:
        laws = np.zeros((found.num_state_choices(s), found.num_states))
        for k, choice in enumerate(found.get_state_choices(s)):
            for branch in choice.branches:
                laws[k, branch.target] += float(branch.prob)
        tables.append((np.array([float(reward[choice.index]) for choice in found.get_state_choices(s)]), laws))
    return tables


@pytest.mark.parametrize("gamma", [0.9, 0.0])
def test_umb_files_hold_J(gamma, umb, tmp_path):
    """The sum of rewards until the end, from what the file says alone."""
    mdp = random_mdp(nx.path_graph(2), seed=2, gamma=gamma, concentration=0.3)
    theta = theta_of(mdp)
    tables = read_back(umb.to_umb(mdp, theta), tmp_path / "chain.umb")
    r, P = np.array([reward[0] for reward, _ in tables]), np.array([laws[0] for _, laws in tables])
    assert P.sum(axis=1) == pytest.approx(1.0, abs=1e-14)
    total = np.linalg.solve(np.eye(len(r) - 1) - P[:-1, :-1], r[:-1])
    assert abs(total[0] - evaluate(mdp, theta).J) <= 1e-10
    tables = read_back(umb.to_umb(mdp), tmp_path / "mdp.umb")
    V = np.zeros(len(tables))
    for _ in range(400):
        V = np.array([(reward + laws @ V).max() for reward, laws in tables])
    assert abs(V[0] - best_joint(mdp).J) <= 1e-10
    own = read_back(umb.to_umb(mdp, theta, agent=1), tmp_path / "own.umb")
    r = np.array([reward[0] for reward, _ in own])
    V_1 = np.linalg.solve(np.eye(len(r) - 1) - P[:-1, :-1], r[:-1])[1:]
    assert np.abs(V_1 - evaluate(mdp, theta).V[1].ravel()).max() <= 1e-10


def test_storm_agrees(umb, tmp_path):
    """J and J_sup by a model checker that reads the files itself."""
    stormpy = pytest.importorskip("stormpy", reason="Storm is optional: pip install stormpy")
    import umbi

    theta = theta_of(MDP)
    asked = {
        'R{"reward"}=? [ F "end" ]': (umb.to_umb(MDP, theta), evaluate(MDP, theta).J),
        'R{"reward"}max=? [ F "end" ]': (umb.to_umb(MDP), best_joint(MDP).J),
    }
    for question, (ats, J) in asked.items():
        umbi.ats.write(ats, tmp_path / "model.umb")
        model = stormpy.build_model_from_umb(str(tmp_path / "model.umb"))
        environment = stormpy.Environment()
        environment.solver().force_exact = True
        found = stormpy.model_checking(model, stormpy.parse_properties(question)[0], environment=environment)
        assert abs(found.get_value(model.initial_states[0]) - J) <= 1e-10


def test_the_example_of_umb_runs(umb):
    assert doctest.testmod(umb).failed == 0
