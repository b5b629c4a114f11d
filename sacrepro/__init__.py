"""Reference reproduction of Qu, Wierman, Li: Scalable Reinforcement Learning of Localized Policies (L4DC 2020).

SAC is the paper's Scalable Actor Critic, not Soft Actor-Critic. The public names below are loaded on first use, so
that importing the package stays cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sacrepro.bounds.influence import influence_matrix
    from sacrepro.counted import CountedMDP
    from sacrepro.coupled import CoupledMDP, as_coupled
    from sacrepro.exact import (
        ExpectedUpdate,
        PolicyEvaluation,
        certified_decay,
        critic_law,
        decay_profile,
        discounted_state_distribution,
        evaluate,
        expected_critic,
        expected_update,
        local_decay,
        local_value,
        mean_curve,
        objective_and_gradient,
        policy_gradient,
        q_function,
        td_fixed_point,
        worst_decay,
    )
    from sacrepro.graph import neighborhood
    from sacrepro.learn import SACTrace, control, pairwise, reinforce, sac, sac_seeds
    from sacrepro.model import NetworkedMDP
    from sacrepro.notices import InputWarning
    from sacrepro.policy import Policy, softmax
    from sacrepro.truncation import natural_weights, truncate, truncated_policy_gradient

_ROOMS = {
    "NetworkedMDP": "model",
    "CoupledMDP": "coupled",
    "as_coupled": "coupled",
    "CountedMDP": "counted",
    "neighborhood": "graph",
    "softmax": "policy",
    "Policy": "policy",
    "InputWarning": "notices",
    "ExpectedUpdate": "exact",
    "PolicyEvaluation": "exact",
    "evaluate": "exact",
    "critic_law": "exact",
    "expected_critic": "exact",
    "expected_update": "exact",
    "q_function": "exact",
    "discounted_state_distribution": "exact",
    "policy_gradient": "exact",
    "decay_profile": "exact",
    "td_fixed_point": "exact",
    "certified_decay": "exact",
    "local_value": "exact",
    "objective_and_gradient": "exact",
    "local_decay": "exact",
    "mean_curve": "exact",
    "worst_decay": "exact",
    "influence_matrix": "bounds.influence",
    "sac": "learn",
    "sac_seeds": "learn",
    "control": "learn",
    "pairwise": "learn",
    "reinforce": "learn",
    "SACTrace": "learn",
    "truncate": "truncation",
    "natural_weights": "truncation",
    "truncated_policy_gradient": "truncation",
}

__all__ = [
    "CountedMDP",
    "CoupledMDP",
    "ExpectedUpdate",
    "InputWarning",
    "NetworkedMDP",
    "Policy",
    "PolicyEvaluation",
    "SACTrace",
    "as_coupled",
    "certified_decay",
    "control",
    "critic_law",
    "decay_profile",
    "discounted_state_distribution",
    "evaluate",
    "expected_critic",
    "expected_update",
    "influence_matrix",
    "local_decay",
    "local_value",
    "mean_curve",
    "natural_weights",
    "neighborhood",
    "objective_and_gradient",
    "pairwise",
    "policy_gradient",
    "q_function",
    "reinforce",
    "sac",
    "sac_seeds",
    "softmax",
    "td_fixed_point",
    "truncate",
    "truncated_policy_gradient",
    "worst_decay",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'sacrepro' has no attribute {name!r}")
    return getattr(importlib.import_module(f"sacrepro.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return __all__
