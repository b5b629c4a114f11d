"""RDDL: the SysAdmin instances of the planning competition IPPC-2011 as network files.

`pip install -e '.[rddl]'` brings `rddlrepository`, which holds them, and `pyRDDLGym`, which reads them.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np

from sacrepro.model.checks import discount, integer
from sacrepro.model.notices import brought_by

with brought_by("rddl"):
    from pyRDDLGym.core.compiler.model import RDDLLiftedModel
    from pyRDDLGym.core.parser.parser import RDDLParser
    from pyRDDLGym.core.parser.reader import RDDLReader
    from rddlrepository.core.manager import RDDLRepoManager

#: The problem's name in the repository, and how many instances it has.
PROBLEM, INSTANCES = "SysAdmin_MDP_ippc2011", 10


def sysadmin(instance: int, gamma: float = 0.95) -> dict[str, Any]:
    """The content of the network file of an instance, 1 to 10: a directed network of 10 to 50 computers.

    CONNECTED(y, x) is the arrow y → x: whether x goes on running depends on how many of its y run. The kernel and the
    start are those of the instance; three things are not, and are said here: rewards are shifted by REBOOT-PENALTY, so
    that none is below 0, and J is the mean over computers in place of the sum; γ takes the place of 40 steps without a
    discount; every computer may reboot in every step, while the competition allows one reboot a step, which no
    localized policy could keep to. `json.dumps` makes a file of it.

    gamma : γ ∈ [0, 1).

    Raises TypeError or ValueError naming the argument.

    >>> document = sysadmin(1)
    >>> len(document["graph"]["nodes"]), document["graph"]["edges"][0]
    (10, ['c1', 'c4'])
    """
    model = rddl_model(instance)
    names = model.type_to_objects["computer"]
    connected = np.reshape(model.non_fluents["CONNECTED"], (len(names), len(names)))
    penalty, reboot = model.non_fluents["REBOOT-PENALTY"], model.non_fluents["REBOOT-PROB"]
    running = np.broadcast_to(model.state_fluents["running"], len(names))
    stays = "0.45 + 0.5 * (1 + count(up)) / (1 + degree)"
    return {
        "graph": {
            "nodes": list(names),
            "edges": [[names[y], names[x]] for y, x in np.argwhere(connected).tolist()],
            "directed": True,
        },
        "gamma": discount(gamma),
        "states": ["down", "up"],
        "actions": ["wait", "reboot"],
        "kernel": {"probabilities": {"up": f"1 if a == reboot else ({stays} if s == up else {reboot!r})"}},
        "reward": f"(s == up) + {penalty!r} * (a == wait)",
        "pi0": {"up": 1.0},
        "agents": {name: {"pi0": {"up": 0.0}} for name, up in zip(names, running.tolist(), strict=True) if not up},
    }


def rddl_model(instance: int) -> RDDLLiftedModel:
    """The instance, 1 to 10, as pyRDDLGym reads it."""
    if integer("instance", instance, 1) > INSTANCES:
        raise ValueError(f"instance must lie in 1..{INSTANCES}, got {instance}")
    problem = RDDLRepoManager(rebuild=False).get_problem(PROBLEM)
    parser = RDDLParser(lexer=None, verbose=False)
    with contextlib.redirect_stderr(io.StringIO()):  # the parser's generator tells of its own grammar
        parser.build()
    return RDDLLiftedModel(parser.parse(RDDLReader(problem.get_domain(), problem.get_instance(str(instance))).rddltxt))
