"""The critic's limit and what it does to the actor: the largest left side at each κ, and every right side as a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison, constrains, excess_of, factor_text
from sacrepro.plotting.decay import draw_largest, integer_axis, two_decades
from sacrepro.plotting.style import BOUND_COLOR, kappa_color, names, outer_labels, panels, remark, shared_legend

#: The line of each reading of the right side.
LINES = {"paper": "--", "decay gap alone": ":", "locality": "-."}


def sides(rows: Sequence[Comparison], left: str, labels: dict[str, str]) -> Figure:
    """One panel an instance: the largest left side over agents and policies, and one line a reading of the right."""
    instances = names(rows)
    figure, grid = panels(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        draw_largest(axes, own, own[0].case, "o", 0.0)
        for hypothesis, label in labels.items():
            chosen = [row for row in own if row.hypothesis == hypothesis and row.right > 0]
            bound_line(axes, chosen, label, LINES[hypothesis])
        integer_axis(axes, own)
    grid[0].plot([], [], "o", color=BOUND_COLOR, label="measured, largest over agents and policies")
    outer_labels(figure, r"$\kappa$", left)
    shared_legend(figure, grid[0])
    return figure


def bound_line(axes: Axes, rows: Sequence[Comparison], label: str, style: str) -> None:
    """The largest right side at each κ; a single κ gets a short level line."""
    kappas = sorted({row.kappa for row in rows})
    right = [max(row.right for row in rows if row.kappa == kappa) for kappa in kappas]
    at: list[float] = [*kappas] if len(kappas) != 1 else [kappas[0] - 0.4, kappas[0] + 0.4]
    axes.plot(at, right if len(kappas) != 1 else right * 2, style, color=BOUND_COLOR, label=label)


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
    """The critic's error over T, one marker an agent and policy; a line where the bound is below r̄/(1-γ), if it is.

    A panel without a line says by what factor its best bound misses that.
    """
    instances = names(rows)
    lengths = list(dict.fromkeys(row.case for row in rows))
    figure, grid = panels(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        for hypothesis, line in LINES.items():
            said = [row for row in own if row.hypothesis == hypothesis and constrains(row)]
            at = [k for k, T in enumerate(lengths) if any(row.case == T for row in said)]
            axes.plot(at, [max(r.right for r in said if r.case == lengths[k]) for k in at], line, color=BOUND_COLOR)
        for row in own:
            place = lengths.index(row.case) + 0.15 * (row.kappa - 0.5)
            axes.plot([place], [row.left], "o", color=kappa_color(row.kappa), alpha=0.4, markeredgewidth=0)
        two_decades(axes)
        if not any(map(constrains, own)):
            low, high = axes.get_ylim()
            axes.set_ylim(bottom=low / (high / low) ** 0.15)
            remark(axes, rf"bounds $\geq$ {factor_text(excess_of(own))} $\bar r/(1-\gamma)$")
        axes.set_xticks(range(len(lengths)), [T.removeprefix("T=") for T in lengths])
        axes.set_xlim(-0.5, len(lengths) - 0.5)
    for kappa in sorted({row.kappa for row in rows}):
        grid[0].plot([], [], "o", color=kappa_color(kappa), label=rf"$\kappa={kappa}$, one marker an agent and policy")
    outer_labels(figure, r"$T$", r"$\max\,|Q_i - \hat Q_i^T|$, one episode")
    shared_legend(figure, grid[0])
    return figure


DRAWINGS: dict[str, tuple[type[Comparison], Callable[[Sequence[Comparison]], Figure]]] = {
    "td_fixed_point": (Comparison, td_fixed_point),
    "critic_sharp": (Comparison, critic_sharp),
    "critic": (Comparison, critic),
}
