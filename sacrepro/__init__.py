"""Reference reproduction of Qu, Wierman, Li: Scalable Reinforcement Learning of Localized Policies (L4DC 2020).

SAC is the paper's Scalable Actor Critic, not Soft Actor-Critic. The public names below are loaded on first use, so
that importing the package stays cheap.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sacrepro.bounds.influence import influence_matrix
    from sacrepro.exact.decay.profile import certified_decay, decay_profile
    from sacrepro.exact.decay.worst import worst_decay
    from sacrepro.exact.gradient import objective_and_gradient, policy_gradient
    from sacrepro.exact.law.inputs import law_cost
    from sacrepro.exact.law.moments import critic_law
    from sacrepro.exact.law.update import ExpectedUpdate, expected_critic, expected_update, mean_curve
    from sacrepro.exact.light_cone import local_decay, local_value
    from sacrepro.exact.solver.occupancy import discounted_state_distribution
    from sacrepro.exact.truncation import natural_weights, td_fixed_point, truncate, truncated_policy_gradient
    from sacrepro.exact.values import PolicyEvaluation, evaluate, q_function
    from sacrepro.learn.algorithm1 import sac, sac_seeds
    from sacrepro.learn.linear_critic import pairwise
    from sacrepro.learn.problem import SACTrace
    from sacrepro.learn.reinforce import reinforce
    from sacrepro.learn.td_control import control
    from sacrepro.model.graph import neighborhood
    from sacrepro.model.mdp import CountedMDP, CoupledMDP, NetworkedMDP, as_coupled
    from sacrepro.model.notices import InputWarning
    from sacrepro.model.policy import Policy, softmax

_ROOMS = {
    "NetworkedMDP": "model.mdp",
    "CoupledMDP": "model.mdp",
    "as_coupled": "model.mdp",
    "CountedMDP": "model.mdp",
    "neighborhood": "model.graph",
    "softmax": "model.policy",
    "Policy": "model.policy",
    "InputWarning": "model.notices",
    "ExpectedUpdate": "exact",
    "law_cost": "exact",
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
    "truncate": "exact.truncation",
    "natural_weights": "exact.truncation",
    "truncated_policy_gradient": "exact.truncation",
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
    "law_cost",
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
