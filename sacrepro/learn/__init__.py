"""Section 3.2: the Scalable Actor Critic, its extensions and other methods. It sees trajectories, never kernels."""

from __future__ import annotations

from sacrepro.learn.algorithm1 import resume, sac, sac_seeds
from sacrepro.learn.problem import SACTrace
from sacrepro.learn.td_control import control
from sacrepro.learn.without_tables import pairwise, reinforce

__all__ = ["SACTrace", "control", "pairwise", "reinforce", "resume", "sac", "sac_seeds"]
