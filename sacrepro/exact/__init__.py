"""Section 2 by exact dynamic programming: V_i^θ, Q_i^θ, J, π^θ, ∇J and D_i(κ), without the joint matrix.

The names below are loaded on first use, so that V_i and J do not wait for the compiler that D_i(κ) needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sacrepro.exact.algorithm_inputs import law_cost
    from sacrepro.exact.algorithm_law import ExpectedUpdate, expected_critic, expected_update, mean_curve
    from sacrepro.exact.cells import natural_mean, td_fixed_point
    from sacrepro.exact.critic_moments import CriticLaw, critic_law
    from sacrepro.exact.decay import DecayBounds, certified_decay, decay_profile
    from sacrepro.exact.gradient import (
        ObjectiveGradient,
        natural_truncated_gradient,
        objective_and_gradient,
        policy_gradient,
    )
    from sacrepro.exact.light_cone import local_decay, local_value
    from sacrepro.exact.occupancy import discounted_state_distribution
    from sacrepro.exact.q_tables import q_function
    from sacrepro.exact.values import PolicyEvaluation, evaluate
    from sacrepro.exact.worst import worst_decay

_ROOMS = {
    "CriticLaw": "critic_moments",
    "critic_law": "critic_moments",
    "DecayBounds": "decay",
    "ExpectedUpdate": "algorithm_law",
    "ObjectiveGradient": "gradient",
    "PolicyEvaluation": "values",
    "certified_decay": "decay",
    "decay_profile": "decay",
    "discounted_state_distribution": "occupancy",
    "evaluate": "values",
    "expected_critic": "algorithm_law",
    "expected_update": "algorithm_law",
    "law_cost": "algorithm_inputs",
    "local_decay": "light_cone",
    "local_value": "light_cone",
    "mean_curve": "algorithm_law",
    "natural_mean": "cells",
    "natural_truncated_gradient": "gradient",
    "objective_and_gradient": "gradient",
    "policy_gradient": "gradient",
    "q_function": "q_tables",
    "td_fixed_point": "cells",
    "worst_decay": "worst",
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
