"""Lemma 4: the error of the truncated policy gradient against both right sides."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.decay import families


def gradient_error(rows: Sequence[Comparison]) -> Figure:
    """The largest ‖ĥ_i - ∇_{θ_i}J‖ over agents and policies, for each weight family and κ, and both bounds there."""
    bounds = {
        "worst case": ("--", r"$cL_i\rho^{\kappa+1}/(1-\gamma)$, worst case over policies"),
        "own hypothesis": (":", "with the measured decay gap and score norm"),
    }
    return families(rows, bounds, r"$\max_i\,\|\hat h_i - \nabla_{\theta_i} J\|$")


DRAWINGS = {"lemma4": (Comparison, gradient_error)}
