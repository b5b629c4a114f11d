"""Instances built for one purpose: a bound is nearly attained there, or a sentence with a hypothesis less is false.

None of them is an application. The counterexamples and plants of `study/claims` say what each of them shows.
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from sacrepro.instances.graphs import at_least_zero
from sacrepro.model.checks import Array
from sacrepro.model.graph import check_kernel_sizes
from sacrepro.model.mdp import NetworkedMDP


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


def coin_lover() -> NetworkedMDP:
    """Two agents, deterministic kernels and rewards: the D of agent 1 is largest under policies that toss coins."""
    to_one_0 = np.array([[[0, 1], [1, 1]], [[1, 1], [0, 0]]])
    to_one_1 = np.zeros((2, 2, 2), dtype=int)
    to_one_1[1, 0, 0] = to_one_1[1, 1, 1] = 1
    P = tuple(np.stack([1 - to_one, to_one], axis=-1) for to_one in (to_one_0, to_one_1))
    return NetworkedMDP(nx.path_graph(2), P, (np.zeros((2, 2)), np.eye(2)), 0.9, (np.full(2, 0.5),) * 2)


def sticky_relay(gamma: float, flip: float) -> NetworkedMDP:
    """Agent 1 copies agent 0, whose bit changes with probability `flip` a step; no actions, agent 1 is paid its bit.

    At κ = 0 TD's limit takes agent 0 for what it most often is, and is wrong by 1 - flip of D_1(0) where it is not.
    """
    keep = np.array([[1.0 - flip, flip], [flip, 1.0 - flip]])
    P = (np.broadcast_to(keep[:, None, None, :], (2, 2, 1, 2)), np.broadcast_to(np.eye(2)[:, None, None], (2, 2, 1, 2)))
    r = (np.zeros((2, 1)), np.array([[0.0], [1.0]]))
    return NetworkedMDP(nx.path_graph(2), P, r, gamma, (np.full(2, 0.5),) * 2)


def rare_state(p: float) -> NetworkedMDP:
    """One agent, whose state is 1 with probability p in every step; it is paid 1 there."""
    P, r = np.broadcast_to([1.0 - p, p], (2, 1, 2)), np.array([[0.0], [1.0]])
    return NetworkedMDP(nx.empty_graph(1), (P,), (r,), 0.05, (np.array([1.0 - p, p]),))


def non_normal() -> NetworkedMDP:
    """Two agents without actions whose influence matrix is [[.6, 0], [.6, .6]]: its powers first grow as t .6^t."""
    one_0, one_1 = np.array([[0.2, 0.2], [0.8, 0.8]]), np.array([[0.0, 0.6], [0.6, 0.0]])
    P = tuple(np.stack([1.0 - one, one], axis=-1)[:, :, None] for one in (one_0, one_1))
    return NetworkedMDP(nx.path_graph(2), P, (np.zeros((2, 1)), np.array([[0.0], [1.0]])), 0.9, (np.full(2, 0.5),) * 2)


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


# The parity star: the instance on which Lemma 4 with its own gap and score norm is attained in the limit.
#
# Every leaf copies the hub and is paid r̄ for a 1; the hub goes to a_0 ⊕ s_1 ⊕ … ⊕ s_{n-1}. A leaf's cell at κ = 1 holds
# a_0 but no other leaf, so the parity behind it may be either: weights of eq. (6) can credit each action with the
# reward of the other, for every leaf at once.


def parity(n: int, *, gamma: float, r_bar: float = 1.0) -> NetworkedMDP:
    """The star with hub 0 and leaves 1, …, n-1, S_i = A_i = 2; leaves have actions that do nothing.

    It starts with a 1 at the hub and at leaf 1, so the parity is odd, and with n even once more after a step.
    """
    if n < 3:
        raise ValueError(f"parity: n must be at least 3, got {n}")
    at_least_zero("parity", r_bar=r_bar)
    graph = nx.star_graph(n - 1)
    check_kernel_sizes(graph, (2,) * n, (2,) * n)
    # Axes: hub s_0, s_1, …, s_{n-1}, a_0, s_0'; a leaf j has s_0, s_j, a_j, s_j'.
    following = np.indices((2,) * (n + 1))[1:].sum(axis=0) % 2
    hub = np.eye(2)[following]
    leaf = np.broadcast_to(np.eye(2)[:, None, None, :], (2, 2, 2, 2))
    r_leaf = r_bar * np.array([[0.0, 0.0], [1.0, 1.0]])
    zero, one = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    pi0 = (one, one, *(zero,) * (n - 2))
    return NetworkedMDP(graph, (hub, *(leaf,) * (n - 1)), (np.zeros((2, 2)), *(r_leaf,) * (n - 1)), gamma, pi0)


# The counterexample by which TD does not compute a truncated Q-function of form (5).
#
# Two agents, κ = 0, actions without effect, r_0 = s_0, γ = 0.9, and the probabilities of s_i' = 1 below. Under the
# stationary law the outside s_1 is mostly 1 when s_0 = 0 and mostly 0 when s_0 = 1; TD averages the next cell
# with these odds in every step, so it puts q*(s_0 = 1) a whole unit below every Q_0(s_0 = 1, ·).

#: P(s_i' = 1 | s_0, s_1) for i = 0, 1.
NEXT_IS_ONE = (
    np.array([[0.98, 0.0], [0.97, 0.94]]),
    np.array([[1.0, 0.99], [0.57, 0.23]]),
)


def td_witness(*, gamma: float = 0.9, actions: int = 1) -> NetworkedMDP:
    """The two-agent counterexample, S_i = 2; its numbers are those of γ = 0.9.

    actions : A_i; actions have no effect.
    """
    if actions < 1:
        raise ValueError(f"td_witness: actions must be at least 1, got {actions}")

    def kernel(one: Array) -> Array:
        both = np.stack([1.0 - one, one], axis=-1)
        return np.repeat(both[:, :, None, :], actions, axis=2)

    r_0 = np.repeat([[0.0], [1.0]], actions, axis=1)
    half = np.full(2, 0.5)
    P = tuple(kernel(one) for one in NEXT_IS_ONE)
    return NetworkedMDP(nx.path_graph(2), P, (r_0, np.zeros((2, actions))), gamma, (half, half))


def courtesy(n: int, *, gamma: float, coupling: float, most: int) -> NetworkedMDP:
    """The courtesy chain: agents pay for what others enjoy, and each must look some hops ahead to see that it pays.

    On the path 0 - 1 - … - n-1 agent i's next bit is 1 with probability (1-c) a_i + c s_{i-1} (s_{-1} = 1/2), so an act
    of agent i raises the bit of agent i+d by (1-c) c^d, d+1 steps later, whatever anybody else does. With r_i(s_i, a_i)
    = s_i + price_i 1{a_i = 0} acting is worth

        B_i(κ) = Σ_{d=0}^{min(κ, n-1-i)} γ^{d+1} (1-c) c^d

    to the agents up to κ hops on, and price_i lies midway between B_i(h_i - 1) and B_i(h_i), h_i = i mod (most + 1):
    who counts fewer than h_i hops finds that acting does not pay, who counts h_i or more that it does. What all of them
    lose with κ hops falls like (γc)^{κ+1}.

    coupling : c ∈ (0, 1).        most : the largest h_i, from 0 to n-1; h_i is cut at n-1-i, where the path ends.
    """
    if not 0.0 < coupling < 1.0:
        raise ValueError(f"courtesy: coupling must lie in (0, 1), got {coupling}")
    if n < 1 or not 0 <= most < n:
        raise ValueError(f"courtesy: most must lie in 0..n-1, got {most} with n = {n}")
    P, r = [], []
    for i in range(n):
        before = np.array([0.5, 0.5]) if i == 0 else np.array([0.0, 1.0])
        # Axes of P_i: the sorted neighbors (i-1, i, i+1 where they exist), a_i, s_i'.
        one = coupling * before[:, None] + (1.0 - coupling) * np.array([0.0, 1.0])
        rows = np.stack([1.0 - one, one], axis=-1)
        if i > 0:
            rows = np.broadcast_to(rows[:, None], (2, 2, 2, 2))
        if i < n - 1:
            rows = np.broadcast_to(rows[..., None, :, :], (*rows.shape[:-2], 2, 2, 2))
        P.append(rows)
        hops = min(i % (most + 1), n - 1 - i)
        worth = np.cumsum([gamma ** (d + 1) * (1.0 - coupling) * coupling**d for d in range(hops + 1)])
        price = worth[-1] - 0.5 * gamma ** (hops + 1) * (1.0 - coupling) * coupling**hops
        r.append(np.array([[price, 0.0], [1.0 + price, 1.0]]))
    return NetworkedMDP(nx.path_graph(n), tuple(P), tuple(r), gamma, (np.full(2, 0.5),) * n)
