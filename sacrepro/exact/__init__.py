"""Section 2 by exact dynamic programming: V_i^θ, Q_i^θ, J, π^θ, ∇J and D_i(κ), without the joint matrix.

The names below are loaded on first use, so that V_i and J do not wait for the compiler that D_i(κ) needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sacrepro.exact.decay.profile import DecayBounds, certified_decay, decay_profile
    from sacrepro.exact.decay.worst import worst_decay
    from sacrepro.exact.gradient import (
        ObjectiveGradient,
        natural_truncated_gradient,
        objective_and_gradient,
        policy_gradient,
    )
    from sacrepro.exact.law.inputs import law_cost
    from sacrepro.exact.law.moments import CriticLaw, critic_law
    from sacrepro.exact.law.update import ExpectedUpdate, expected_critic, expected_update, mean_curve
    from sacrepro.exact.light_cone import local_decay, local_value
    from sacrepro.exact.solver.occupancy import discounted_state_distribution
    from sacrepro.exact.truncation import natural_mean, td_fixed_point
    from sacrepro.exact.values import PolicyEvaluation, evaluate, q_function

_ROOMS = {
    "CriticLaw": "law.moments",
    "critic_law": "law.moments",
    "DecayBounds": "decay.profile",
    "ExpectedUpdate": "law.update",
    "ObjectiveGradient": "gradient",
    "PolicyEvaluation": "values",
    "certified_decay": "decay.profile",
    "decay_profile": "decay.profile",
    "discounted_state_distribution": "solver.occupancy",
    "evaluate": "values",
    "expected_critic": "law.update",
    "expected_update": "law.update",
    "law_cost": "law.inputs",
    "local_decay": "light_cone",
    "local_value": "light_cone",
    "mean_curve": "law.update",
    "natural_mean": "truncation",
    "natural_truncated_gradient": "gradient",
    "objective_and_gradient": "gradient",
    "policy_gradient": "gradient",
    "q_function": "values",
    "td_fixed_point": "truncation",
    "worst_decay": "decay.worst",
}

__all__ = [
    "CriticLaw",
    "DecayBounds",
    "ExpectedUpdate",
    "ObjectiveGradient",
    "PolicyEvaluation",
    "certified_decay",
    "critic_law",
    "decay_profile",
    "discounted_state_distribution",
    "evaluate",
    "expected_critic",
    "expected_update",
    "law_cost",
    "local_decay",
    "local_value",
    "mean_curve",
    "natural_mean",
    "natural_truncated_gradient",
    "objective_and_gradient",
    "policy_gradient",
    "q_function",
    "td_fixed_point",
    "worst_decay",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'sacrepro.exact' has no attribute {name!r}")
    return getattr(importlib.import_module(f"sacrepro.exact.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return __all__
