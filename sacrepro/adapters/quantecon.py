"""QuantEcon: the joint model as a `DiscreteDP`, in which J can be verified and improved by another library.

Numbers of joint states and actions are row-major, agent 0 first. `pip install -e '.[quantecon]'` brings the library.
"""

from __future__ import annotations

import math

import numpy as np

from sacrepro.exact.models import exact_model, joint_model
from sacrepro.model.checks import Array
from sacrepro.model.mdp import CountedMDP, Model
from sacrepro.model.notices import brought_by
from sacrepro.model.policy import Policy, Theta, joint_policy, policies

with brought_by("quantecon"):
    from quantecon.markov import DiscreteDP


def to_quantecon(mdp: Model | CountedMDP, theta: Theta | None = None, agent: int | None = None) -> DiscreteDP:
    """The joint model of eqs. (1)-(2): R of shape (S, A), Q of shape (S, A, S), beta = γ, S and A joint numbers.

    theta : a policy; the model then has one action, to follow it, and R and Q are r^θ and P^θ.
    agent : whose r_i is the reward; by default the mean (1/n) Σ_i r_i, as in J.

    J is ``mdp.joint_pi0().ravel() @ ddp.evaluate_policy(sigma)``; with theta, sigma is zero everywhere. Raises
    ValueError, naming the entries, where Q is too large.

    >>> from sacrepro import evaluate, uniform_theta
    >>> from sacrepro.instances.relay import relay
    >>> mdp = relay(3, gamma=0.5)
    >>> ddp = to_quantecon(mdp, uniform_theta(mdp))
    >>> V = ddp.evaluate_policy(np.zeros(ddp.num_states, dtype=int))
    >>> bool(abs(mdp.joint_pi0().ravel() @ V - evaluate(mdp, uniform_theta(mdp)).J) < 1e-10)
    True
    """
    model = exact_model(mdp)
    return DiscreteDP(*joint_model(model, theta, agent), model.gamma)


def joint_actions(mdp: Model | CountedMDP, policy: Policy | Array) -> Array:
    """sigma, the number of the joint action in each joint state, shape (S,), as QuantEcon takes policies.

    policy : a deterministic `Policy`, or joint actions (S_0, …, S_{n-1}, n) as `best_joint` has them.
    Raises ValueError for a policy that is not deterministic.

    >>> from sacrepro import best_joint
    >>> from sacrepro.instances.extremal import signal
    >>> joint_actions(signal(0.5), best_joint(signal(0.5)).policy).shape
    (4,)
    """
    model = exact_model(mdp)
    if not isinstance(policy, Policy):
        actions = np.asarray(policy)
        if actions.shape != (*model.state_sizes, model.n):
            raise ValueError(f"policy has shape {actions.shape}, expected {(*model.state_sizes, model.n)}")
        return np.ravel_multi_index(np.moveaxis(actions, -1, 0), model.action_sizes).ravel()
    for i, zeta_i in enumerate(policies(model, policy)):
        mixed = np.flatnonzero(zeta_i.max(axis=1) < 1.0)
        if len(mixed):
            raise ValueError(
                f"zeta[{i}] of agent {i} is {zeta_i[mixed[0]].tolist()} in state {mixed[0]}, but QuantEcon's policies "
                "are deterministic; to_quantecon(mdp, policy) has the chain of a stochastic one"
            )
    return joint_policy(policies(model, policy)).reshape(math.prod(model.state_sizes), -1).argmax(axis=1)
