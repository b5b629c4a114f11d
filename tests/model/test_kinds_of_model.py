"""Every public function over every kind of model: the numbers of the table model, or a refusal in words."""

import networkx as nx
import numpy as np
import pytest

import sacrepro
from sacrepro import exact, learn, simulate
from sacrepro.adapters.pettingzoo import parallel_env
from sacrepro.exact.chain import chain_of
from sacrepro.exact.solver.occupancy import state_law
from sacrepro.exact.solver.stationary import stationary_law
from sacrepro.instances import COUNTED
from sacrepro.model.mdp import CountedMDP, CoupledMDP, as_coupled
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

#: The same where no two agents have as many states, so that a kernel over the wrong axes cannot pass.
MIXED_SIZES = (3, 2, 4)


def mixed():
    """(counts, tables, pairs) of one random model."""
    rng, graph = np.random.default_rng(1), nx.path_graph(3)
    P = []
    for i, S_i in enumerate(MIXED_SIZES):
        most = sum(MIXED_SIZES[j] - 1 for j in graph[i])
        draws = rng.random((S_i, most + 1, 2, S_i)) + 0.1
        P.append(draws / draws.sum(axis=-1, keepdims=True))
    r = tuple(rng.random((S_i, 2)) for S_i in MIXED_SIZES)
    counts = CountedMDP(graph, tuple(P), r, 0.8, tuple(np.full(S_i, 1 / S_i) for S_i in MIXED_SIZES))
    return counts, counts.expanded(), as_coupled(counts)


def steps(mdp):
    """Rewards and states of one episode of PettingZoo's interface."""
    env = parallel_env(mdp, horizon=8)
    env.reset(seed=5)
    seen = [env.step(dict.fromkeys(env.possible_agents, t % 2))[:2] for t in range(8)]
    return np.array([[*observed.values(), *paid.values()] for observed, paid in seen])


#: What each public function makes of a model, and the sampled ones that draw other words on action-coupled models.
CALLS = {
    "as_coupled": as_coupled,
    "evaluate": lambda mdp: exact.evaluate(mdp, THETA)[:2],
    "evaluate_many": lambda mdp: exact.evaluate_many(mdp, [THETA, THETA])[:2],
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
    "decay_supremum": lambda mdp: exact.decay_supremum(mdp, 0, 0, width=0.1)[:2],
    "worst_decay": lambda mdp: exact.worst_decay(mdp, 0, 0, starts=1).D,
    "local_value": lambda mdp: exact.local_value(mdp, THETA, 1).V,
    "local_decay": lambda mdp: exact.local_decay(mdp, THETA, 0, 1),
    "td_fixed_point": lambda mdp: exact.td_fixed_point(mdp, THETA, 0, 1),
    "natural_mean": lambda mdp: exact.natural_mean(mdp, THETA, 0, 1),
    "natural_truncated_gradient": lambda mdp: exact.natural_truncated_gradient(mdp, THETA, 1),
    "natural_weights": lambda mdp: sacrepro.natural_weights(mdp, THETA, 0, 1),
    "truncated_policy_gradient": lambda mdp: sacrepro.truncated_policy_gradient(
        mdp,
        THETA,
        [
            np.ones([s if j in hood else 1 for s, j in zip((2,) * 6, (0, 1, 2) * 2, strict=True)])
            for hood in ((0, 1), (0, 1, 2), (1, 2))
        ],
        1,
    ),
    "best_joint": lambda mdp: exact.best_joint(mdp)[:2],
    "best_localized": lambda mdp: exact.best_localized(mdp)[1:2],
    "optimality_gap": lambda mdp: exact.optimality_gap(mdp, THETA)[0],
    "influence_matrix": lambda mdp: sacrepro.influence_matrix(mdp).toarray(),
    "sac": lambda mdp: learn.sac(mdp, THETA, **RUN, **TD, seed=0).theta,
    "sac_seeds": lambda mdp: learn.sac_seeds(mdp, THETA, **RUN, **TD, seeds=(0, 1))[1].theta,
    "resume": lambda mdp: learn.resume(mdp, learn.sac(mdp, THETA, **RUN, **TD, seed=0), M=5).theta,
    "pairwise": lambda mdp: learn.pairwise(mdp, THETA, **RUN, **TD, seed=0).theta,
    "reinforce": lambda mdp: learn.reinforce(mdp, THETA, **RUN, seed=0).theta,
    "control": lambda mdp: learn.control(mdp, kappa=1, M=2, T=20, **TD, seed=0, epsilon=0.5).theta,
    "Simulator": lambda mdp: Simulator(mdp).rollout(ZETA, 20, **SAMPLED),
    "as_simulator": lambda mdp: simulate.as_simulator(mdp).rollout(ZETA, 20, **SAMPLED),
    "uniform_theta": lambda mdp: sacrepro.uniform_theta(mdp),
    "gaussian_theta": lambda mdp: sacrepro.gaussian_theta(mdp, np.random.default_rng(0)),
    "rollout_by_steps": lambda mdp: simulate.rollout_by_steps(mdp, ZETA, 20, **SAMPLED),
}

#: Rooms' own functions of a model, which are not at a front.
INSIDE = {
    "state_law": lambda mdp: state_law(mdp, THETA).pi,
    "stationary_law": lambda mdp: stationary_states(chain_of(mdp, THETA)),
    "network_env": steps,
}


def stationary_states(chain):
    """The stationary law of the model's states."""
    return chain.state_law(stationary_law(chain).pi)[0]


ALL = CALLS | INSIDE  # fmt: skip

#: Public names that are given no model: records, models themselves, functions of graphs and tables.
OTHERS = {
    "CountedMDP", "CoupledMDP", "NetworkedMDP", "Policy", "InputWarning", "PolicyEvaluation", "PolicyEvaluations",
    "SACTrace", "DecayBounds",
    "CriticLaw", "ExpectedUpdate", "Optimum", "OptimalityGap",
    "ObjectiveGradient", "neighborhood", "softmax", "truncate", "AnySimulator", "OwnSimulator", "Trajectory",
    "WirelessSimulator", "SteppedSimulator", "random_mdp", "build", "load", "advise", "from_directed",
}  # fmt: skip

#: What has no theory for pairs, or wants kernels over (s_{N_i}, a_i).
REFUSED = {(name, CoupledMDP) for name in (
    "as_coupled", "worst_decay", "decay_supremum", "local_value", "local_decay", "natural_mean", "Simulator",
    "rollout_by_steps",
)}  # fmt: skip

#: Learners and simulators draw the steps of action-coupled models from a generator of their own: other numbers.
OTHER_WORDS = {name for name in CALLS if name.startswith(("sac", "resume", "pair", "reinf", "control"))} | {
    "as_simulator"
}

WRONG = [None, {}, "a model", 3, nx.path_graph(3), TABLES.P]


def test_the_walk_is_over_every_public_name():
    public = {*sacrepro.__all__, *exact.__all__, *learn.__all__, *simulate.__all__}
    assert public == CALLS.keys() | OTHERS


def arrays(result):
    if isinstance(result, CoupledMDP):
        return [*result.P, *result.r]
    if isinstance(result, tuple):
        return [block for part in result for block in arrays(part)]
    return [np.asarray(result, dtype=float)]


def agrees(name, mdp, tables):
    """`name` of the model is what it is of the tables, or is refused in words."""
    if (name, type(mdp)) in REFUSED:
        with pytest.raises(TypeError, match=rf"(expected|takes?) a NetworkedMDP.* got a? ?{type(mdp).__name__}"):
            ALL[name](mdp)
        return
    found = ALL[name](mdp)
    if isinstance(mdp, CoupledMDP) and name in OTHER_WORDS:
        assert all(np.isfinite(block).all() for block in arrays(found) if name != "control")
        return
    for one, other in zip(arrays(found), arrays(ALL[name](tables)), strict=True):
        assert one == pytest.approx(other, abs=1e-12 if name == "influence_matrix" else 1e-9)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("mdp", [COUNTS, COUPLED], ids=lambda mdp: type(mdp).__name__)
def test_kinds_of_model_agree_or_are_refused_in_words(name, mdp):
    agrees(name, mdp, TABLES)


@pytest.mark.parametrize(
    "name", sorted(ALL.keys() - {"truncated_policy_gradient", "expected_update", "mean_curve", "decay_supremum"})
)
@pytest.mark.parametrize("kind", [0, 2], ids=["CountedMDP", "CoupledMDP"])
def test_kinds_agree_where_sizes_differ(name, kind, monkeypatch):
    models = mixed()
    theta = gaussian_theta(models[1], np.random.default_rng(2))
    monkeypatch.setitem(globals(), "THETA", theta)
    monkeypatch.setitem(globals(), "ZETA", policies(models[1], theta))
    agrees(name, models[kind], models[1])


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: type(wrong).__name__)
def test_what_is_no_model_is_refused_in_words(name, wrong):
    with pytest.raises(TypeError, match=rf"NetworkedMDP.*got {type(wrong).__name__}"):
        ALL[name](wrong)


@pytest.mark.parametrize("name", sorted(ALL.keys() - OTHER_WORDS - {"uniform_theta", "gaussian_theta"}))
def test_a_simulator_is_no_model(name):
    with pytest.raises(TypeError, match=r"NetworkedMDP.*got Simulator"):
        ALL[name](Simulator(TABLES))
