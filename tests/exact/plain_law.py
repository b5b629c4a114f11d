"""Algorithm 1 on every trajectory that can happen, with its probability: the law of one outer iteration, in full.

Nothing here is shared with the package but the model's own arrays and graph (through `brute_force`).
"""

from __future__ import annotations

import functools
import itertools

import numpy as np

from brute_force import BruteForce, CoupledBruteForce


class Law:
    """The mean of ĝ(m) and of Q̂^T, and E[Q̂^T Q̂^Tᵀ], over all trajectories of length T from line 2 on.

    Q_hat_0 : one dict {cell: value} an agent, absent entries zero. score(i, s, a, b) : ∂ log ζ_i(a|s) / ∂θ_i(s, b).
    outcomes : with `keep`, a list of (probability, ĝ, Q̂^T). squares : whether E[Q̂^T Q̂^Tᵀ] is asked for.
    """

    def __init__(self, mdp, zeta, score, *, kappa, T, alpha, Q_hat_0=None, keep=False, squares=False):
        self.truth = (CoupledBruteForce if type(mdp).__name__ == "CoupledMDP" else BruteForce)(mdp, zeta)
        self.mdp, self.score, self.T, self.alpha = mdp, score, T, alpha
        self.n = len(zeta)
        self.hoods = [self.truth.hood(i, kappa) for i in range(self.n)]
        self.g_hat = [np.zeros(zeta_i.shape) for zeta_i in zeta]
        self.Q_hat = [{} for _ in zeta]
        self.second = [{} for _ in zeta]
        self.mass = 0.0
        self.onward = {}
        self.outcomes = [] if keep else None
        self.squares = squares
        self.cell = functools.cache(self.cell)
        for s in self.truth.states:
            self.act(self.truth.pi0(s), s, [], [dict(Q_i) for Q_i in Q_hat_0 or [{} for _ in zeta]])

    def act(self, probability, s, path, Q_hat):
        for a in self.truth.actions:
            chance = probability * self.truth.act(s, a)
            if chance > 0.0:
                self.visit(chance, [*path, (s, a)], Q_hat)

    def cell(self, i, pair):
        s, a = pair
        return tuple((s[j], a[j]) for j in self.hoods[i])

    def visit(self, probability, path, Q_hat):
        """Line 7 at time t, the last of the path, then on to t + 1."""
        t = len(path) - 1
        if t > 0:
            Q_hat = [dict(Q_i) for Q_i in Q_hat]
            for i in range(self.n):
                last, now = self.cell(i, path[-2]), self.cell(i, path[-1])
                reward = self.truth.reward(i, *path[-2])
                step = self.alpha[t - 1]
                ahead = Q_hat[i].get(now, 0.0)
                Q_hat[i][last] = (1 - step) * Q_hat[i].get(last, 0.0) + step * (reward + self.mdp.gamma * ahead)
        if t == self.T:
            self.finish(probability, path, Q_hat)
            return
        if path[-1] not in self.onward:
            self.onward[path[-1]] = [(s_next, self.truth.step(*path[-1], s_next)) for s_next in self.truth.states]
        for s_next, chance in self.onward[path[-1]]:
            if chance > 0.0:
                self.act(probability * chance, s_next, path, Q_hat)

    def finish(self, probability, path, Q_hat):
        """Lines 10-11."""
        self.mass += probability
        g_hat = [np.zeros(block.shape) for block in self.g_hat]
        for i in range(self.n):
            for t, (s, a) in enumerate(path):
                heard = sum(Q_hat[j].get(self.cell(j, (s, a)), 0.0) for j in self.hoods[i]) / self.n
                for b in range(g_hat[i].shape[1] if heard else 0):
                    g_hat[i][s[i], b] += self.mdp.gamma**t * heard * self.score(i, s[i], a[i], b)
            self.g_hat[i] += probability * g_hat[i]
            for x, value in Q_hat[i].items():
                self.Q_hat[i][x] = self.Q_hat[i].get(x, 0.0) + probability * value
            for x, y in itertools.product(Q_hat[i] if self.squares else (), repeat=2):
                product = Q_hat[i][x] * Q_hat[i][y]
                self.second[i][x, y] = self.second[i].get((x, y), 0.0) + probability * product
        if self.outcomes is not None:
            self.outcomes.append((probability, g_hat, Q_hat))


def softmax_score(zeta):
    """1{a=b} - ζ_i(b|s)."""
    return lambda i, s, a, b: (a == b) - zeta[i][s, b]


def mixed_score(softmax, epsilon):
    """∂ log((1-ε) ζ_i(a|s) + ε/A_i) / ∂θ_i(s, b), by the chain rule."""

    def score(i, s, a, b):
        zeta = softmax[i]
        mixed = (1 - epsilon) * zeta[s, a] + epsilon / zeta.shape[1]
        return (1 - epsilon) * zeta[s, a] * ((a == b) - zeta[s, b]) / mixed

    return score


def entry(Q_hat_i, hood, x):
    """The entry of a table in the shape of Q̂_i (length 1 outside the hood) at a cell {agent: (s, a)} in hood order."""
    n = Q_hat_i.ndim // 2
    index = [0] * (2 * n)
    for j, (s, a) in zip(hood, x, strict=True):
        index[j], index[n + j] = s, a
    return Q_hat_i[tuple(index)]
