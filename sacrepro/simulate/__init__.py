"""Section 2: sampling s(t), a(t), r(t). The only thing the learner may see of a model."""

from __future__ import annotations

from sacrepro.simulate.rollout import Simulator
from sacrepro.simulate.stepped import OwnSimulator, SteppedSimulator, as_simulator, rollout_by_steps
from sacrepro.simulate.trajectory import AnySimulator, Trajectory
from sacrepro.simulate.wireless import WirelessSimulator

__all__ = [
    "AnySimulator",
    "OwnSimulator",
    "Simulator",
    "SteppedSimulator",
    "Trajectory",
    "WirelessSimulator",
    "as_simulator",
    "rollout_by_steps",
]
