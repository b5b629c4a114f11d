"""Which cases have a unique stationary law, so that TD has one fixed point."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from sacrepro.claims.comparison import Case
from sacrepro.exact.dense import averaged_kernels, transition_matrix
from sacrepro.policy import policies


def has_unique_stationary_law(case: Case) -> bool:
    """Whether the chain of joint states under θ has a single recurrent class.

    The relay and the broadcast star have several: agents that keep their own bit for ever.
    """
    zeta = policies(case.mdp, case.theta)
    if all((P_bar_i > 0).all() for P_bar_i in averaged_kernels(case.mdp, zeta)):
        return True
    moves = csr_array(transition_matrix(case.mdp, zeta) > 0)
    classes, label = connected_components(moves, directed=True, connection="strong")
    start, end = moves.nonzero()
    left = np.unique(label[start[label[start] != label[end]]])
    return bool(classes - len(left) == 1)
