"""Cases that several claims are tested on."""

import networkx as nx
import numpy as np

from sacrepro.claims.case import exact_case
from sacrepro.instances import build
from sacrepro.instances.graphs import build_graph
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model import NetworkedMDP
from sacrepro.policy import uniform_theta

RELAY = build({"model": "relay", "n": 4, "gamma": 0.9})
BROADCAST = build({"model": "broadcast", "n": 6, "gamma": 0.8})


def uniform_case(mdp, name="test"):
    """The case of the uniform policy."""
    return exact_case(name, "uniform", mdp, uniform_theta(mdp))


def random_case(seed=0, family="ring", gamma=0.9):
    """A strongly coupled random model on five agents."""
    graph = build_graph({"family": family, "n": 5})
    return uniform_case(random_mdp(graph, seed=seed, gamma=gamma, concentration=0.2))


def long_range_relay(n, gamma):
    """A relay in which agent i copies agent i-2: a networked MDP on the squared path, not on the path."""
    graph = nx.power(nx.path_graph(n), 2)
    P = []
    for i in range(n):
        hood = sorted({i, *graph.neighbors(i)})
        source = hood.index(i - 2 if i >= 2 else i)
        shape = [2 if k == source else 1 for k in range(len(hood))]
        P.append(np.broadcast_to(np.eye(2).reshape(*shape, 1, 2), (*(2,) * len(hood), 2, 2)))
    r_i = np.array([[0.0, 0.0], [1.0, 1.0]])
    return NetworkedMDP(graph, P, (r_i,) * n, gamma, (np.full(2, 0.5),) * n)


def latch(n, gamma):
    """A path whose agent 0 keeps its first action forever and whose agents i > 0 copy agent i-1.

    States: 0 ready, 1 and 2 hold action 0 and 1; state 2 pays 1. Everybody starts ready.
    """
    first = np.zeros((3, 2, 3))
    first[0, 0, 1] = first[0, 1, 2] = 1.0
    first[1, :, 1] = first[2, :, 2] = 1.0
    P = [np.broadcast_to(first[:, None], (3, 3, 2, 3))]
    for i in range(1, n):
        copy = np.eye(3).reshape(3, 1, 1, 3) if i == n - 1 else np.eye(3).reshape(3, 1, 1, 1, 3)
        P.append(np.broadcast_to(copy, (*(3,) * (2 if i == n - 1 else 3), 1, 3)))
    r = tuple(np.array([[0.0], [0.0], [1.0]]) * np.ones((1, 2 if i == 0 else 1)) for i in range(n))
    return NetworkedMDP(nx.path_graph(n), tuple(P), r, gamma, (np.eye(3)[0],) * n)


def signal():
    """Agent 0's next state is its action, agent 1 copies agent 0."""
    P = (np.broadcast_to(np.eye(2), (2, 2, 2, 2)), np.broadcast_to(np.eye(2)[:, None, None], (2, 2, 2, 2)))
    r = (np.zeros((2, 2)), np.array([[0.0, 0.0], [1.0, 1.0]]))
    return NetworkedMDP(nx.path_graph(2), P, r, 0.9, (np.full(2, 0.5),) * 2)


SIGNAL = signal()
