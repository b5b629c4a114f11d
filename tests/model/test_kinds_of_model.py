"""Every public function over every kind of model: the numbers of the table model, or a refusal in words."""

import networkx as nx
import numpy as np
import pytest

import sacrepro
from sacrepro import exact, learn, simulate
from sacrepro.instances import COUNTED
from sacrepro.model.mdp import CoupledMDP, as_coupled
from sacrepro.model.policy import gaussian_theta, policies
from sacrepro.simulate import Simulator

COUNTS = COUNTED["sis"](nx.path_graph(3), gamma=0.8)
TABLES = COUNTS.expanded()
COUPLED = as_coupled(TABLES)
THETA = gaussian_theta(TABLES, np.random.default_rng(0))
ZETA = policies(TABLES, THETA)
RUN = {"kappa": 1, "M": 3, "T": 20, "eta": 1.0}
TD = {"h": 5.0, "t0": 10.0}
SAMPLED = {"seed": 3, "m": 1}

#: What each public function makes of a model, and the sampled ones that draw other words on action-coupled models.
CALLS = {
    "as_coupled": as_coupled,
    "evaluate": lambda mdp: exact.evaluate(mdp, THETA)[:2],
    "critic_law": lambda mdp: exact.critic_law(mdp, THETA, 1, kappa=1, T=3, **TD)[:2],
    "expected_critic": lambda mdp: exact.expected_critic(mdp, THETA, kappa=1, T=3, agents=(1,), **TD)[0][0],
    "expected_update": lambda mdp: exact.expected_update(mdp, THETA, kappa=1, T=3, **TD).g_hat,
    "law_cost": lambda mdp: exact.law_cost(mdp, kappa=1, T=3).cells,
    "mean_curve": lambda mdp: exact.mean_curve(mdp, THETA, kappa=0, M=2, T=3, eta=1.0, **TD),
    "q_function": lambda mdp: exact.q_function(mdp, THETA, 1),
    "discounted_state_distribution": lambda mdp: exact.discounted_state_distribution(mdp, THETA),
    "policy_gradient": lambda mdp: exact.policy_gradient(mdp, THETA),
    "objective_and_gradient": lambda mdp: exact.objective_and_gradient(mdp, THETA)[:2],
    "decay_profile": lambda mdp: exact.decay_profile(mdp, THETA),
    "certified_decay": lambda mdp: exact.certified_decay(mdp, THETA, [0, 2], [0, 1]),
    "worst_decay": lambda mdp: exact.worst_decay(mdp, 0, 0, starts=1).D,
    "local_value": lambda mdp: exact.local_value(mdp, THETA, 1).V,
    "local_decay": lambda mdp: exact.local_decay(mdp, THETA, 0, 1),
    "td_fixed_point": lambda mdp: exact.td_fixed_point(mdp, THETA, 0, 1),
    "natural_mean": lambda mdp: exact.natural_mean(mdp, THETA, 0, 1),
    "natural_truncated_gradient": lambda mdp: exact.natural_truncated_gradient(mdp, THETA, 1),
    "natural_weights": lambda mdp: sacrepro.natural_weights(mdp, THETA, 0, 1),
    "truncated_policy_gradient": lambda mdp: sacrepro.truncated_policy_gradient(
        mdp, THETA, [np.ones([s if j in hood else 1 for s, j in zip((2,) * 6, (0, 1, 2) * 2, strict=True)])
                     for hood in ((0, 1), (0, 1, 2), (1, 2))], 1
    ),
    "influence_matrix": lambda mdp: sacrepro.influence_matrix(mdp).toarray(),
    "sac": lambda mdp: learn.sac(mdp, THETA, **RUN, **TD, seed=0).theta,
    "sac_seeds": lambda mdp: learn.sac_seeds(mdp, THETA, **RUN, **TD, seeds=(0, 1))[1].theta,
    "pairwise": lambda mdp: learn.pairwise(mdp, THETA, **RUN, **TD, seed=0).theta,
    "reinforce": lambda mdp: learn.reinforce(mdp, THETA, **RUN, seed=0).theta,
    "control": lambda mdp: learn.control(mdp, kappa=1, M=2, T=20, **TD, seed=0, epsilon=0.5).theta,
    "Simulator": lambda mdp: Simulator(mdp).rollout(ZETA, 20, **SAMPLED),
    "as_simulator": lambda mdp: simulate.as_simulator(mdp).rollout(ZETA, 20, **SAMPLED),
    "uniform_theta": lambda mdp: sacrepro.uniform_theta(mdp),
    "gaussian_theta": lambda mdp: sacrepro.gaussian_theta(mdp, np.random.default_rng(0)),
    "rollout_by_steps": lambda mdp: simulate.rollout_by_steps(mdp, ZETA, 20, **SAMPLED),
}  # fmt: skip

#: Public names that are given no model: records, models themselves, functions of graphs and tables.
OTHERS = {
    "CountedMDP", "CoupledMDP", "NetworkedMDP", "Policy", "InputWarning", "PolicyEvaluation", "SACTrace", "DecayBounds",
    "CriticLaw", "ExpectedUpdate",
    "ObjectiveGradient", "neighborhood", "softmax", "truncate", "AnySimulator", "OwnSimulator", "Trajectory",
    "WirelessSimulator", "SteppedSimulator", "random_mdp", "build", "load", "advise",
}  # fmt: skip

#: What has no theory for pairs, or wants kernels over (s_{N_i}, a_i).
REFUSED = {(name, CoupledMDP) for name in (
    "as_coupled", "worst_decay", "local_value", "local_decay", "natural_mean", "Simulator", "rollout_by_steps"
)}  # fmt: skip

#: Learners and simulators draw the steps of action-coupled models from a generator of their own: other numbers.
OTHER_WORDS = {name for name in CALLS if name.startswith(("sac", "pair", "reinf", "control"))} | {"as_simulator"}

WRONG = [None, {}, "a model", 3, nx.path_graph(3), TABLES.P]


def test_the_walk_is_over_every_public_name():
    public = {*sacrepro.__all__, *exact.__all__, *learn.__all__, *simulate.__all__}
    assert public == CALLS.keys() | OTHERS


def arrays(result):
    if isinstance(result, CoupledMDP):
        return [*result.P, *result.r]
    return [np.asarray(part, dtype=float) for part in (result if isinstance(result, tuple) else (result,))]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("mdp", [COUNTS, COUPLED], ids=lambda mdp: type(mdp).__name__)
def test_kinds_of_model_agree_or_are_refused_in_words(name, mdp):
    if (name, type(mdp)) in REFUSED:
        with pytest.raises(TypeError, match=rf"(expected|takes?) a NetworkedMDP.* got a? ?{type(mdp).__name__}"):
            CALLS[name](mdp)
        return
    found = CALLS[name](mdp)
    if isinstance(mdp, CoupledMDP) and name in OTHER_WORDS:
        assert all(np.isfinite(block).all() for block in arrays(found) if name != "control")
        return
    if isinstance(mdp, CoupledMDP) and name == "influence_matrix":
        # Over pairs of neighbors, whose actions do not matter here.
        assert found == pytest.approx(CALLS[name](TABLES), abs=1e-12)
        return
    for one, other in zip(arrays(found), arrays(CALLS[name](TABLES)), strict=True):
        assert one == pytest.approx(other, abs=1e-9)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: type(wrong).__name__)
def test_what_is_no_model_is_refused_in_words(name, wrong):
    with pytest.raises(TypeError, match=rf"NetworkedMDP.*got {type(wrong).__name__}"):
        CALLS[name](wrong)


@pytest.mark.parametrize("name", sorted(CALLS.keys() - OTHER_WORDS - {"uniform_theta", "gaussian_theta"}))
def test_a_simulator_is_no_model(name):
    with pytest.raises(TypeError, match=r"NetworkedMDP.*got Simulator"):
        CALLS[name](Simulator(TABLES))
