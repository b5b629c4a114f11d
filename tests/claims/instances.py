"""Cases that several claims are tested on."""

from sacrepro.instances import build
from sacrepro.instances.extremal import signal
from sacrepro.instances.graphs import build_graph
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.policy import uniform_theta
from sacrepro.study.record.case import exact_case

RELAY = build({"model": "relay", "n": 4, "gamma": 0.9})
BROADCAST = build({"model": "broadcast", "n": 6, "gamma": 0.8})


def uniform_case(mdp, name="test"):
    """The case of the uniform policy."""
    return exact_case(name, "uniform", mdp, uniform_theta(mdp))


def random_case(seed=0, family="ring", gamma=0.9):
    """A strongly coupled random model on five agents."""
    graph = build_graph({"family": family, "n": 5})
    return uniform_case(random_mdp(graph, seed=seed, gamma=gamma, concentration=0.2))


SIGNAL = signal()
