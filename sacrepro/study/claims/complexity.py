"""Complexity: the tables of Algorithm 1 as it fills them, against (SA)^{f(κ)} and against the joint table.

``table`` compares the entries of Q̂_i with (SA)^{f(κ)}; ``joint`` compares them with those of Q_i, which is what
truncation saves; ``written`` compares the entries that line 7 wrote in `T` steps with min(T, (SA)^{f(κ)}).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sacrepro.bounds.critic import complexity
from sacrepro.exact.truncation import cell_shape
from sacrepro.learn.transcription import outer_iteration
from sacrepro.model.graph import neighborhood
from sacrepro.study.record import Case, Claim, Comparison, Drawing, Variant

TABLE, JOINT, WRITTEN = "table", "joint", "written"


#: Steps of the episode that is watched.
T = 200


def check(case: Case) -> Iterator[Comparison]:
    """Entries of Q̂_i, and entries written by an episode, for each agent and κ."""
    mdp = case.mdp
    full = (*mdp.state_sizes, *mdp.action_sizes)
    joint = float(np.prod([float(size) for size in full]))
    for kappa in range(case.D.shape[1]):
        largest = complexity(mdp.graph, kappa, max(mdp.state_sizes), max(mdp.action_sizes))
        episode = outer_iteration(mdp, case.theta, 0, kappa=kappa, T=T, h=1.0, t0=2.0, eta=1.0, seed=0)
        for i in range(mdp.n):
            entries = float(np.prod([float(size) for size in cell_shape(full, neighborhood(mdp.graph, i, kappa))]))
            yield from case.left(i, kappa, entries, 0.0).against({TABLE: largest, JOINT: joint})
            yield from case.left(i, kappa, len(episode.Q_hat[i]), 0.0).against({WRITTEN: min(float(T), largest)})


CLAIM = Claim(
    order=200, words="what an agent stores depends on its neighborhood, not on n",
    statement=(
        "Q̂_i has at most (SA)^{f(κ)} entries, whatever n is, and T steps write at most min(T, (SA)^{f(κ)}) of them"
    ),
    reference="Section 3.3, complexity", check=check, needs=("tables", "learner"),
    variants=(Variant(TABLE), Variant(JOINT), Variant(WRITTEN)),
    drawing=Drawing("complexity", "entries of an agent's table",
                    {TABLE: r"$(SA)^{f(\kappa)}$", JOINT: r"entries of $Q_i$"}),
    attack="counts",
)  # fmt: skip
