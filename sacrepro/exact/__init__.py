"""Section 2 by exact dynamic programming: V_i^θ, Q_i^θ, J, π^θ, ∇J and D_i(κ), without the joint matrix.

The names below are loaded on first use, so that V_i and J do not wait for the compiler that D_i(κ) needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sacrepro.model import rooms as _rooms

# isort: off
if TYPE_CHECKING:
    from sacrepro.exact.decay.profile import (
        DecayBounds as DecayBounds,
        certified_decay as certified_decay,
        decay_profile as decay_profile,
    )
    from sacrepro.exact.decay.supremum import decay_supremum as decay_supremum
    from sacrepro.exact.decay.worst import worst_decay as worst_decay
    from sacrepro.exact.values import (
        ObjectiveGradient as ObjectiveGradient,
        natural_truncated_gradient as natural_truncated_gradient,
        objective_and_gradient as objective_and_gradient,
        policy_gradient as policy_gradient,
    )
    from sacrepro.exact.law.cell_chain import law_cost as law_cost
    from sacrepro.exact.law.moments import CriticLaw as CriticLaw, critic_law as critic_law
    from sacrepro.exact.law.update import (
        ExpectedUpdate as ExpectedUpdate,
        expected_critic as expected_critic,
        expected_update as expected_update,
        mean_curve as mean_curve,
    )
    from sacrepro.exact.light_cone import local_decay as local_decay, local_value as local_value
    from sacrepro.exact.optimum import (
        OptimalityGap as OptimalityGap,
        Optimum as Optimum,
        best_joint as best_joint,
        best_localized as best_localized,
        optimality_gap as optimality_gap,
    )
    from sacrepro.exact.solver.occupancy import discounted_state_distribution as discounted_state_distribution
    from sacrepro.exact.truncation import natural_mean as natural_mean, td_fixed_point as td_fixed_point
    from sacrepro.exact.values import (
        PolicyEvaluation as PolicyEvaluation,
        PolicyEvaluations as PolicyEvaluations,
        evaluate as evaluate,
        evaluate_many as evaluate_many,
        q_function as q_function,
    )

# isort: on

#: Where each public name lives, read off the imports above.
_ROOMS = _rooms(__name__)

__all__ = list(_ROOMS)


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'sacrepro.exact' has no attribute {name!r}")
    return getattr(importlib.import_module(f"sacrepro.exact.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return __all__
