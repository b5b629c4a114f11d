"""Reference reproduction of Qu, Wierman, Li: Scalable Reinforcement Learning of Localized Policies (L4DC 2020).

SAC is the paper's Scalable Actor Critic, not Soft Actor-Critic. The public names below are loaded on first use, so
that importing the package stays cheap.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

from sacrepro.model import rooms as _rooms

# isort: off
if TYPE_CHECKING:
    from sacrepro.adviser.advice import advise as advise
    from sacrepro.instances.network.files import load as load
    from sacrepro.bounds.influence import influence_matrix as influence_matrix
    from sacrepro.exact.decay.profile import certified_decay as certified_decay, decay_profile as decay_profile
    from sacrepro.exact.decay.supremum import decay_supremum as decay_supremum
    from sacrepro.exact.decay.worst import worst_decay as worst_decay
    from sacrepro.exact.values import (
        objective_and_gradient as objective_and_gradient,
        policy_gradient as policy_gradient,
    )
    from sacrepro.exact.law.cell_chain import law_cost as law_cost
    from sacrepro.exact.law.moments import critic_law as critic_law
    from sacrepro.exact.law.update import (
        ExpectedUpdate as ExpectedUpdate,
        expected_critic as expected_critic,
        expected_update as expected_update,
        mean_curve as mean_curve,
    )
    from sacrepro.exact.light_cone import local_decay as local_decay, local_value as local_value
    from sacrepro.exact.optimum import (
        best_joint as best_joint,
        best_localized as best_localized,
        optimality_gap as optimality_gap,
    )
    from sacrepro.exact.solver.occupancy import discounted_state_distribution as discounted_state_distribution
    from sacrepro.exact.truncation import (
        natural_weights as natural_weights,
        td_fixed_point as td_fixed_point,
        truncate as truncate,
        truncated_policy_gradient as truncated_policy_gradient,
    )
    from sacrepro.exact.values import (
        PolicyEvaluation as PolicyEvaluation,
        PolicyEvaluations as PolicyEvaluations,
        evaluate as evaluate,
        evaluate_many as evaluate_many,
        q_function as q_function,
    )
    from sacrepro.instances import build as build
    from sacrepro.instances.random_kernels import random_mdp as random_mdp
    from sacrepro.learn.algorithm1 import resume as resume, sac as sac, sac_seeds as sac_seeds
    from sacrepro.learn.problem import SACTrace as SACTrace
    from sacrepro.learn.td_control import control as control
    from sacrepro.learn.without_tables import pairwise as pairwise, reinforce as reinforce
    from sacrepro.model.graph import from_directed as from_directed, neighborhood as neighborhood
    from sacrepro.model.mdp import (
        CountedMDP as CountedMDP,
        CoupledMDP as CoupledMDP,
        NetworkedMDP as NetworkedMDP,
        as_coupled as as_coupled,
    )
    from sacrepro.model.notices import InputWarning as InputWarning
    from sacrepro.model.policy import (
        Policy as Policy,
        gaussian_theta as gaussian_theta,
        softmax as softmax,
        uniform_theta as uniform_theta,
    )
    from sacrepro.simulate.rollout import Simulator as Simulator

# isort: on

#: Where each public name lives, read off the imports above.
_ROOMS = _rooms(__name__)

__all__ = list(_ROOMS)


__version__ = "0.1.0"


def _keep_compiled_code() -> None:
    """Have numba keep compiled code in a temporary folder where neither the package nor the home can be written."""
    cache = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))  # numba takes an empty one as it is
    while not os.path.lexists(cache) and os.path.dirname(cache) != cache:
        cache = os.path.dirname(cache)
    usable = any(os.access(folder, os.W_OK | os.X_OK) for folder in (os.path.dirname(__file__), cache) if folder)
    if usable or os.environ.get("NUMBA_CACHE_DIR"):
        return
    import atexit
    import shutil
    import tempfile

    try:
        folder = tempfile.mkdtemp(prefix="sacrepro-")
    except OSError:
        return
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = folder
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = folder


_keep_compiled_code()


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'sacrepro' has no attribute {name!r}")
    return getattr(importlib.import_module(f"sacrepro.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return __all__
