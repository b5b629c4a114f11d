"""Instances built for one purpose: a bound is nearly attained there, or a sentence with a hypothesis less is false.

None of them is an application. `claims/witnesses.py` and `claims/falsification.py` say what each of them shows.
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from sacrepro.instances.relay import broadcast, relay
from sacrepro.model import NetworkedMDP


def fading_relay(n: int, gamma: float, fade: float) -> NetworkedMDP:
    """A relay whose source, agent 0, drops a 1 with probability `fade` and never finds it again."""
    mdp = relay(n, gamma=gamma)
    source = np.broadcast_to(np.array([[1.0, 0.0], [fade, 1.0 - fade]])[:, None, None, :], mdp.P[0].shape)
    return NetworkedMDP(mdp.graph, (source, *mdp.P[1:]), mdp.r, gamma, mdp.pi0)


def noisy_hops(n: int, gamma: float, noise: float) -> NetworkedMDP:
    """The noisy relay whose source keeps its bit: D_{κ+1}(κ) = ρ^{κ+1}/(1-γ) with ρ = γ(1-noise)."""
    noisy = relay(n, gamma=gamma, noise=noise)
    return NetworkedMDP(noisy.graph, (relay(n, gamma=gamma).P[0], *noisy.P[1:]), noisy.r, gamma, noisy.pi0)


def noisy_broadcast(n: int, gamma: float, noise: float) -> NetworkedMDP:
    """`broadcast` whose source and copies are redrawn with probability `noise`: every D falls at ρ = γ(1-noise)."""
    mdp = broadcast(n, gamma=gamma)
    P = tuple((1.0 - noise) * P_i + noise * 0.5 for P_i in mdp.P)
    return NetworkedMDP(mdp.graph, P, mdp.r, gamma, mdp.pi0)


def ladder(rungs: int, growth: float, p: float, gamma: float, leave: float = 0.01) -> NetworkedMDP:
    """Agent 0 climbs rungs beside agent 1, which is good once, on entry, and bad ever after.

    From a rung with a good neighbor agent 0 finds the bonus with probability p, with a bad one never. Entries favour
    high rungs by `growth`, so the stationary law calls the neighbor good on every rung, and TD hopes anew each step.
    """
    bonus, reset = rungs + 1, rungs + 2
    S = rungs + 3
    P_0, P_1 = np.zeros((S, 2, 1, S)), np.zeros((S, 2, 1, 2))
    for k in range(rungs):
        P_0[k, 0, 0, k + 1] = 1.0
        P_0[k, 1, 0, [k + 1, bonus]] = 1.0 - p, p
    P_0[rungs, :, 0, reset] = 1.0
    P_0[bonus, :, 0, bonus], P_0[bonus, :, 0, reset] = 1.0 - leave, leave
    entry = float(growth) ** np.arange(rungs + 1)
    P_0[reset, :, 0, : rungs + 1] = entry / entry.sum()
    P_1[..., 0], P_1[reset] = 1.0, [[[0.0, 1.0]], [[0.0, 1.0]]]
    r_0 = np.zeros((S, 1))
    r_0[bonus] = 1.0
    pi0 = (np.full(S, 1 / S), np.full(2, 0.5))
    return NetworkedMDP(nx.path_graph(2), (P_0, P_1), (r_0, np.zeros((2, 1))), gamma, pi0)


def mirage(rungs: int, growth: float, p: float, gamma: float, leave: float = 0.01, fade: float = 1e-5) -> NetworkedMDP:
    """The `ladder` behind a door that TD believes open: there agent 0 chooses, a_0 = 1, to climb it.

    Agent 1 starts frozen at the door, stays so for a long time, 1/fade steps, and never freezes again; until then agent
    0 stays at the door whatever it does. So no action matters, at any time that counts. The stationary law has
    no ice: TD credits a_0 = 1 with all that it hopes for on the ladder. States of agent 1: 0 bad, 1 good, 2 frozen.
    """
    open_ladder = ladder(rungs, growth, p, gamma, leave)
    door, reset = rungs + 3, rungs + 2
    S = rungs + 4
    P_0, P_1 = np.zeros((S, 3, 2, S)), np.zeros((S, 3, 1, 3))
    # What agent 0 does on the ladder it does beside a frozen neighbor as beside a bad one, and under both actions.
    P_0[:door, :, :, :door] = open_ladder.P[0][:, [0, 1, 0]]
    # From the reset the door is as much rarer than the lowest rung as that is than the next.
    entry = float(growth) ** np.arange(-1, rungs + 1)
    P_0[reset] = 0.0
    P_0[reset, ..., [door, *range(rungs + 1)]] = (entry / entry.sum())[:, None, None]
    P_0[door, :2, 0, reset] = P_0[door, :2, 1, 0] = P_0[door, 2, :, door] = 1.0
    P_1[..., 0], P_1[reset] = 1.0, [[[0.0, 1.0, 0.0]]]
    P_1[door, 2] = [[fade, 0.0, 1.0 - fade]]
    r_0 = np.zeros((S, 2))
    r_0[:door] = open_ladder.r[0]
    pi0 = (np.eye(S)[door], np.eye(3)[2])
    return NetworkedMDP(nx.path_graph(2), (P_0, P_1), (r_0, np.zeros((3, 1))), gamma, pi0)


def gate(gamma: float, fade: float = 0.5) -> NetworkedMDP:
    """Agent 0 shows a 1, and is paid, when it opened the gate (a_0 = 1) on a lit source, which goes out for ever."""
    P_0 = np.zeros((2, 2, 2, 2))
    P_0[..., 0] = 1.0
    P_0[:, 1, 1] = [0.0, 1.0]
    P_1 = np.broadcast_to(np.array([[1.0, 0.0], [fade, 1.0 - fade]])[None, :, None, :], (2, 2, 2, 2))
    r = (np.array([[0.0, 0.0], [1.0, 1.0]]), np.zeros((2, 2)))
    return NetworkedMDP(nx.path_graph(2), (P_0, P_1), r, gamma, (np.array([1.0, 0.0]), np.array([0.0, 1.0])))


def latch(n: int, gamma: float) -> NetworkedMDP:
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


def signal(gamma: float = 0.9) -> NetworkedMDP:
    """Agent 0's next state is its action, agent 1 copies agent 0."""
    P = (np.broadcast_to(np.eye(2), (2, 2, 2, 2)), np.broadcast_to(np.eye(2)[:, None, None], (2, 2, 2, 2)))
    r = (np.zeros((2, 2)), np.array([[0.0, 0.0], [1.0, 1.0]]))
    return NetworkedMDP(nx.path_graph(2), P, r, gamma, (np.full(2, 0.5),) * 2)


def long_range_relay(n: int, gamma: float) -> NetworkedMDP:
    """A relay in which agent i copies agent i-2: a networked MDP on the squared path, not on the path."""
    graph = nx.power(nx.path_graph(n), 2)
    P = []
    for i in range(n):
        hood = sorted({i, *graph.neighbors(i)})
        source = hood.index(i - 2 if i >= 2 else i)
        shape = [2 if k == source else 1 for k in range(len(hood))]
        P.append(np.broadcast_to(np.eye(2).reshape(*shape, 1, 2), (*(2,) * len(hood), 2, 2)))
    r_i = np.array([[0.0, 0.0], [1.0, 1.0]])
    return NetworkedMDP(graph, tuple(P), (r_i,) * n, gamma, (np.full(2, 0.5),) * n)


def coin_lover() -> NetworkedMDP:
    """Two agents, deterministic kernels and rewards: the D of agent 1 is largest under policies that toss coins."""
    to_one_0 = np.array([[[0, 1], [1, 1]], [[1, 1], [0, 0]]])
    to_one_1 = np.zeros((2, 2, 2), dtype=int)
    to_one_1[1, 0, 0] = to_one_1[1, 1, 1] = 1
    P = tuple(np.stack([1 - to_one, to_one], axis=-1) for to_one in (to_one_0, to_one_1))
    return NetworkedMDP(nx.path_graph(2), P, (np.zeros((2, 2)), np.eye(2)), 0.9, (np.full(2, 0.5),) * 2)


def turncoat(T: int, gamma: float) -> NetworkedMDP:
    """Agent 1 copies agent 0's bit, then ages one state a step; from time T+1 on its reward for the bit is reversed.

    States of agent 1: (bit, age) as 2·age + bit, age 0…T; ages T and above are one state, and pay for the other bit.
    """
    ages = T + 1
    hold = np.broadcast_to(np.eye(2)[:, None, None], (2, 2 * ages, 1, 2))
    copy = np.zeros((2, 2 * ages, 1, 2 * ages))
    for heard in range(2):
        for age in range(ages):
            for bit in range(2):
                onward = (2 * 1 + heard) if age == 0 else 2 * min(age + 1, ages - 1) + bit
                copy[heard, 2 * age + bit, 0, onward] = 1.0
    reward = np.array(
        [[0.0 if age == 0 else float(bit != (age == ages - 1))] for age in range(ages) for bit in range(2)]
    )
    pi0 = (np.full(2, 0.5), np.eye(2 * ages)[0])
    return NetworkedMDP(nx.path_graph(2), (hold, copy), (np.zeros((2, 1)), reward), gamma, pi0)


def tally(half: int, gamma: float) -> NetworkedMDP:
    """Agent 0 acts 0 or 1, agent 1 keeps the score: +1 or -1 a step, within -half..half, and 1 is paid while it leads.

    Many small steps add up before they matter: ‖∇J‖ grows as (1-γ)^{-3/2} where half is some 1/√(1-γ).
    """
    size = 2 * half + 1
    score = np.arange(size)
    shows = np.broadcast_to(np.eye(2), (2, size, 2, 2))
    counts = np.zeros((2, size, 1, size))
    for said in range(2):
        counts[said, score, 0, np.clip(score + 2 * said - 1, 0, size - 1)] = 1.0
    leads = np.where(score == half, 0.5, score > half)[:, None]
    pi0 = (np.full(2, 0.5), np.eye(size)[half])
    return NetworkedMDP(nx.path_graph(2), (shows, counts), (np.zeros((2, 2)), leads), gamma, pi0)
