"""The critic's limit and what it does to the actor: the largest left side at each κ, and every right side as a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.decay import bound_line, bound_ticks, dots, draw_largest, kappa_axis, largest_right
from sacrepro.plotting.panels import frame, log_axis, titled
from sacrepro.plotting.style import BOUND_COLOR, kappa_color, kappa_label, literal, names

#: The line of each reading of the right side.
LINES = {"paper": "--", "decay gap alone": ":", "locality": "-."}


def sides(rows: Sequence[Comparison], left: str, labels: dict[str, str]) -> Figure:
    """One panel an instance: the largest left side over agents and policies, and one line a reading of the right."""
    instances = names(rows)
    figure, grid = titled(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        draw_largest(axes, own, "o", 0.0, "measured, largest over agents and policies")
        for hypothesis, label in labels.items():
            chosen = largest_right([row for row in own if row.hypothesis == hypothesis])
            bound_line(axes, chosen, LINES[hypothesis], label)
        kappa_axis(axes, own)
    frame(figure, r"$\kappa$", left)
    return figure


def td_fixed_point(rows: Sequence[Comparison]) -> Figure:
    """|q* - Q_i| against the paper's critic bias and the two smaller ones."""
    return sides(
        rows,
        r"$\max\,|q^* - Q_i|$",
        {
            "paper": r"$2c\rho^{\kappa+1}/(1-\gamma)^2$, the paper's critic bias",
            "decay gap alone": r"$D_i(\kappa)/(1-\gamma)$",
            "locality": r"$\bar r\gamma^{\kappa+1}/(1-\gamma)$",
        },
    )


def critic_sharp(rows: Sequence[Comparison]) -> Figure:
    """The bias of eq. (7) with TD's fixed points against the three right sides."""
    return sides(
        rows,
        r"$\max_i\,\|\hat h_i(q^*) - \nabla_{\theta_i} J\|$",
        {
            "paper": r"$2cL_i\rho^{\kappa+1}/(1-\gamma)^3$, the paper's bias",
            "decay gap alone": r"$L_i\max_j D_j(\kappa)/(1-\gamma)^2$",
            "locality": r"$L_i\bar r\gamma^{\kappa+1}/(1-\gamma)^2$",
        },
    )


def critic(rows: Sequence[Comparison]) -> Figure:
    """The critic's error over T, one marker an agent and policy, and in the colour of its κ the least of each bound.
    A bound above the solid line, which holds for any tables in [0, r̄/(1-γ)], says nothing.
    """
    instances = names(rows)
    lengths = sorted({row.case for row in rows}, key=lambda case: int(case.removeprefix("T=")))
    kappas = sorted({row.kappa for row in rows})
    step = 0.9 / len(kappas)
    figure, grid = titled(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        for k, kappa in enumerate(kappas):
            shift = step * (k - (len(kappas) - 1) / 2)
            mine = [row for row in own if row.kappa == kappa]
            places = [lengths.index(row.case) + shift for row in mine]
            dots(axes, places, [row.left for row in mine], kappa, label=kappa_label(kappa), alpha=0.4)
            for hypothesis, line in (("paper", "--"), ("locality", ":")):
                said = [row for row in mine if row.hypothesis == hypothesis]
                at = {T: [row.right for row in said if row.case == length] for T, length in enumerate(lengths)}
                heights = {T: min(right) for T, right in at.items() if right}
                label = READINGS[hypothesis]
                bound_ticks(axes, heights, line, label, shift=shift, half=0.45 * step, color=kappa_color(kappa))
        level = max(row.trivial for row in own)
        axes.axhline(level, color=BOUND_COLOR, linewidth=0.8, label=r"$\bar r/(1-\gamma)$, holds anyway")
        log_axis(axes)
        axes.set_xticks(range(len(lengths)), [literal(T.removeprefix("T=")) for T in lengths])
        axes.set_xlim(-0.5, len(lengths) - 0.5)
    frame(figure, r"$T$", r"$\max\,|Q_i - \hat Q_i^T|$, one episode")
    return figure


#: The label of each reading's bound on the critic.
READINGS = {"paper": "the paper's bound, least over agents and policies", "locality": "with the smaller bias"}

DRAWINGS: dict[str, tuple[type[Comparison], Callable[[Sequence[Comparison]], Figure]]] = {
    "td_fixed_point": (Comparison, td_fixed_point),
    "critic_sharp": (Comparison, critic_sharp),
    "critic": (Comparison, critic),
}
