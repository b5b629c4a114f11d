"""Enumeration straight from eqs. (1)-(7): joint state-action pairs as Python tuples, one loop for each sum.

Nothing here is shared with the package but the model's own arrays and graph.
"""

from __future__ import annotations

import functools
import itertools
import math

import networkx as nx
import numpy as np


class BruteForce:
    """Every exact quantity of one model under ζ, by enumeration; for two to four small agents."""

    def __init__(self, mdp, zeta):
        self.mdp, self.zeta, self.n = mdp, zeta, len(mdp.r)
        self.S, self.A = [len(zeta_i) for zeta_i in zeta], [zeta_i.shape[1] for zeta_i in zeta]
        self.states = list(itertools.product(*map(range, self.S)))
        self.actions = list(itertools.product(*map(range, self.A)))
        self.pairs = [(s, a) for s in self.states for a in self.actions]
        self.distance = dict(nx.all_pairs_shortest_path_length(mdp.graph))
        for name in ("hood", "act", "step", "occupancy"):  # asked for again and again
            setattr(self, name, functools.cache(getattr(self, name)))

    def hood(self, i, kappa):
        return [j for j in range(self.n) if self.distance[i].get(j, math.inf) <= kappa]

    def step(self, s, a, s_next):
        """P(s' | s, a), eq. (1)."""
        return math.prod(self.mdp.P[i][(*(s[j] for j in self.hood(i, 1)), a[i], s_next[i])] for i in range(self.n))

    def reward(self, i, s, a):
        """r_i(s_i, a_i)."""
        return self.mdp.r[i][s[i], a[i]]

    def act(self, s, a):
        """ζ^θ(a | s)."""
        return math.prod(self.zeta[i][s[i], a[i]] for i in range(self.n))

    def pi0(self, s):
        if isinstance(self.mdp.pi0, tuple):
            return math.prod(self.mdp.pi0[i][s[i]] for i in range(self.n))
        return self.mdp.pi0[s]

    def q(self):
        """Q_i as a dict over (s, a), by one linear system over joint state-action pairs."""
        size = len(self.pairs)
        chain = np.empty((size, size))
        for x, (s, a) in enumerate(self.pairs):
            onward = {s_next: self.step(s, a, s_next) for s_next in self.states}
            chain[x] = [onward[s_next] * self.act(s_next, a_next) for s_next, a_next in self.pairs]
        rewards = np.array([[self.reward(i, s, a) for i in range(self.n)] for s, a in self.pairs])
        Q = np.linalg.solve(np.eye(size) - self.mdp.gamma * chain, rewards)
        return [dict(zip(self.pairs, Q[:, i], strict=True)) for i in range(self.n)]

    def v(self, Q_i):
        return {s: sum(self.act(s, a) * Q_i[s, a] for a in self.actions) for s in self.states}

    def objective(self, Q):
        return sum(self.pi0(s) * sum(self.v(Q_i)[s] for Q_i in Q) / self.n for s in self.states)

    def occupancy(self):
        """π^θ by adding up (1-γ) γ^t π_t until the rest is below the rounding unit."""
        law = {s: self.pi0(s) for s in self.states}
        total = dict.fromkeys(self.states, 0.0)
        weight = 1.0 - self.mdp.gamma
        step = {
            (s, s_next): sum(self.act(s, a) * self.step(s, a, s_next) for a in self.actions)
            for s in self.states
            for s_next in self.states
        }
        while weight > 1e-17:
            for s in self.states:
                total[s] += weight * law[s]
            law = {s_next: sum(law[s] * step[s, s_next] for s in self.states) for s_next in self.states}
            weight *= self.mdp.gamma
            if self.mdp.gamma == 0.0:
                break
        return total

    def gradient(self, Q_of, i):
        """(1/(1-γ)) E_{π×ζ} Q_of(s, a) ∇_{θ_i} log ζ_i(a_i | s_i), for a function of (s, a)."""
        block = np.zeros((self.S[i], self.A[i]))
        pi = self.occupancy()
        for s, a in self.pairs:
            mass = pi[s] * self.act(s, a) * Q_of(s, a) / (1.0 - self.mdp.gamma)
            for b in range(self.A[i]):
                block[s[i], b] += mass * ((a[i] == b) - self.zeta[i][s[i], b])
        return block

    def cells(self, hood):
        """Joint pairs grouped by what the agents of `hood` show."""
        groups = {}
        for s, a in self.pairs:
            groups.setdefault(tuple((s[j], a[j]) for j in hood), []).append((s, a))
        return groups

    def decay(self, Q_i, i, kappa):
        """D_i(κ)."""
        groups = self.cells(self.hood(i, kappa)).values()
        return max(max(Q_i[z] for z in group) - min(Q_i[z] for z in group) for group in groups)

    def natural(self, i, kappa):
        """The conditional law of each pair given its cell under π^θ × ζ^θ, with None where the cell has no mass."""
        pi = self.occupancy()
        law = {}
        for group in self.cells(self.hood(i, kappa)).values():
            mass = sum(pi[s] * self.act(s, a) for s, a in group)
            for s, a in group:
                law[s, a] = pi[s] * self.act(s, a) / mass if mass > 0 else None
        return law


class CoupledBruteForce(BruteForce):
    """The same for action-coupled models: kernels and rewards of (s_{N_i}, a_{N_i})."""

    def place(self, i, s, a):
        """(s_{N_i}, a_{N_i}) as an index."""
        hood = self.hood(i, 1)
        return (*(s[j] for j in hood), *(a[j] for j in hood))

    def step(self, s, a, s_next):
        """P(s' | s, a)."""
        return math.prod(self.mdp.P[i][(*self.place(i, s, a), s_next[i])] for i in range(self.n))

    def reward(self, i, s, a):
        """r_i(s_{N_i}, a_{N_i})."""
        return self.mdp.r[i][self.place(i, s, a)]
