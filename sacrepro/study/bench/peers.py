"""All n value functions V_i^θ of one policy, by this engine and by the tools a researcher would reach for.

Every peer but the engine starts from the joint transition matrix P^θ, which is what its interface asks for. Each is
called in the way that is fastest and still accurate for evaluating a fixed policy: one action, n reward vectors.

`dictionary_sac` is the peer of `sacrepro bench sac`: Algorithm 1 as it is usually published, with dictionaries keyed by
tuples and numpy's random generator at every step. It is written to be typical and not to be slow: tables and policies
are looked up, nothing is recomputed within a step, and line 11 runs over one pass of the episode. It shares no code
with the learner.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from sacrepro.exact import dense
from sacrepro.exact.values import evaluate
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.notices import meant
from sacrepro.model.policy import policies, uniform_theta

#: Sup-norm accuracy that every method is asked for.
TOLERANCE = 1e-10


def joint(mdp: NetworkedMDP) -> tuple[Array, Array]:
    """(P^θ, r^θ) under the uniform policy: shapes (S^n, S^n) and (n, S^n)."""
    zeta = policies(mdp, uniform_theta(mdp))
    return dense.transition_matrix(mdp, zeta), dense.mean_rewards(mdp, zeta)


def engine(mdp: NetworkedMDP) -> Array:
    """The structured engine, certified to `TOLERANCE`."""
    return evaluate(mdp, uniform_theta(mdp), tol=TOLERANCE).V.reshape(mdp.n, -1)


def dense_lu(mdp: NetworkedMDP) -> Array:
    """numpy.linalg.solve on I - γP^θ with n right-hand sides."""
    P, r = joint(mdp)
    return np.linalg.solve(np.eye(len(P)) - mdp.gamma * P, r.T).T


def dense_value_iteration(mdp: NetworkedMDP) -> Array:
    """Repeated products with the dense P^θ until the MacQueen bounds meet the tolerance."""
    P, r = joint(mdp)
    return value_iteration(P, r, mdp.gamma)


def sparse_value_iteration(mdp: NetworkedMDP) -> Array:
    """The same products with scipy's compressed rows."""
    from scipy.sparse import csr_array

    P, r = joint(mdp)
    return value_iteration(csr_array(P), r, mdp.gamma)


def value_iteration(P: Array, r: Array, gamma: float) -> Array:
    """V for every row of r, by MacQueen's value iteration."""
    V = np.zeros_like(r.T)
    while True:
        updated = r.T + gamma * (P @ V)
        change = updated - V
        low, high = change.min(axis=0), change.max(axis=0)
        V = updated
        if (high - low).max() * gamma / (1 - gamma) <= TOLERANCE:
            return (V + gamma / (1 - gamma) * (low + high) / 2).T


def sparse_gmres(mdp: NetworkedMDP) -> Array:
    """scipy.sparse.linalg.gmres on I - γP^θ in compressed rows, one right-hand side after the other."""
    from scipy.sparse import csr_array, eye_array
    from scipy.sparse.linalg import gmres

    P, r = joint(mdp)
    matrix = (eye_array(len(P)) - mdp.gamma * csr_array(P)).tocsr()
    return np.stack([gmres(matrix, r_i, rtol=0.0, atol=TOLERANCE * (1 - mdp.gamma))[0] for r_i in r])


def quantecon(mdp: NetworkedMDP) -> Array:
    """quantecon.markov.DiscreteDP.evaluate_policy."""
    from quantecon.markov import DiscreteDP

    P, r = joint(mdp)
    only = np.zeros(len(P), dtype=int)
    return np.stack([DiscreteDP(r_i[:, None], P[:, None, :], mdp.gamma).evaluate_policy(only) for r_i in r])


def pymdptoolbox(mdp: NetworkedMDP) -> Array:
    """mdptoolbox.mdp.PolicyIteration, whose evaluation solves the linear system.

    Its ValueIteration stops on a span and returns values that are off by a constant.
    """
    from mdptoolbox.mdp import PolicyIteration

    P, r = joint(mdp)
    values = []
    for r_i in r:
        solver = PolicyIteration(P[None], r_i[:, None], mdp.gamma)
        solver.run()
        values.append(solver.V)
    return np.array(values)


def mdpsolver(mdp: NetworkedMDP) -> Array:
    """mdpsolver's value iteration; it takes the model as nested lists. Without its post-processing values are off."""
    from mdpsolver import model

    P, r = joint(mdp)
    transitions = P[:, None, :].tolist()
    values = []
    for r_i in r:
        solver = model()
        solver.mdp(discount=mdp.gamma, rewards=r_i[:, None].tolist(), tranMatWithZeros=transitions)
        solver.solve(algorithm="vi", tolerance=TOLERANCE, makeFinalCheck=False)
        values.append(solver.getValueVector())
    return np.array(values)


def jaxdp(mdp: NetworkedMDP) -> Array:
    """jaxdp's resolvent of P^θ in float64, compiled, for all reward vectors at once: one decomposition serves them."""
    P, r = joint(mdp)
    return np.asarray(_resolvents()(P.T, r, mdp.gamma))


@lru_cache(maxsize=1)
def _resolvents() -> Any:
    """(P transposed, rewards, γ) ↦ values; the assertions of chex cannot be compiled."""
    import chex
    import jax

    jax.config.update("jax_enable_x64", True)
    chex.disable_asserts()
    from jaxdp import resolvent

    return jax.jit(jax.vmap(resolvent.s, in_axes=(None, 0, None)))


METHODS: Mapping[str, Callable[[NetworkedMDP], Array]] = {
    method.__name__: method
    for method in (
        engine, dense_lu, dense_value_iteration, sparse_value_iteration, sparse_gmres, quantecon, pymdptoolbox,
        mdpsolver, jaxdp,
    )
}  # fmt: skip


# The seeded instances that every method of a benchmark solves.

#: Numbers of agents tried in each family, in increasing order.
SIZES = {
    "path": (4, 5, 6, 7, 8, 10, 12, 14, 16, 18, 20, 22, 24),
    "ring": (4, 5, 6, 7, 8, 10, 12, 14, 16, 18, 20),
    "grid_2": (4, 6, 8, 10, 12, 14, 16, 18, 20),
    "grid_3": (6, 9, 12, 15, 18),
    "star": (4, 5, 6, 7, 8, 10, 12, 14, 16),
    "regular_3": (4, 6, 8, 10, 12, 14, 16, 18),
}


def refuse_unknown(what: str, asked: Iterable[str], known: Iterable[str]) -> None:
    """ValueError for the first of `asked` that is not known, before anything is measured."""
    for name in asked:
        if name not in tuple(known):
            raise ValueError(f"unknown {what} {name!r}; known are {', '.join(known)}{meant(name, known)}")


def in_a_process(
    arguments: Sequence[object], *, seconds: float, time_limit: float, memory_limit_gb: float, **settings: Any
) -> tuple[str, dict[str, Any]]:
    """(status, record) of a measurement by Python with these arguments, which prints its record as JSON.

    seconds : that the process may take. time_limit : of the median of the record's `seconds`. settings : of
    `subprocess.run`. The status is ``ok``, or why there is no number: ``time``, ``memory``, ``absent``, ``failed``.
    """
    limit = int(memory_limit_gb * 2**30)
    try:
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=seconds,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)),
            **settings,
        )
    except subprocess.TimeoutExpired:
        return "time", {}
    if done.returncode == 0:
        record = json.loads(done.stdout.splitlines()[-1])
        return ("ok" if np.median(record["seconds"]) <= time_limit else "time"), record
    if "ModuleNotFoundError" in done.stderr:
        return "absent", {}
    out_of_memory = done.returncode < 0 or "MemoryError" in done.stderr or "bad_alloc" in done.stderr
    return ("memory" if out_of_memory else "failed"), {}


def benchmark_graph(family: str, n: int) -> nx.Graph:
    """A path, ring, 2×k or 3×k grid, star, or seeded random 3-regular graph on n agents."""
    refuse_unknown("family", [family], SIZES)
    if family == "path":
        return nx.path_graph(n)
    if family == "ring":
        return nx.cycle_graph(n)
    if family in ("grid_2", "grid_3"):
        rows = int(family[-1])
        return nx.convert_node_labels_to_integers(nx.grid_2d_graph(rows, n // rows), ordering="sorted")
    if family == "star":
        return nx.star_graph(n - 1)
    return nx.convert_node_labels_to_integers(nx.random_regular_graph(3, n, seed=n), ordering="sorted")


def benchmark_mdp(family: str, n: int, gamma: float) -> NetworkedMDP:
    """Binary states and actions, every kernel row uniform on the simplex, seed n."""
    return random_mdp(benchmark_graph(family, n), seed=n, gamma=gamma)


#: (s_{N_i^κ}, a_{N_i^κ}).
Cell = tuple[tuple[int, ...], tuple[int, ...]]


class DictionaryIteration(NamedTuple):
    """θ(m+1), blocks (S_i, A_i), and what was sampled: s, a and r at t = 0..T, one tuple of n entries a step."""

    theta_next: list[Array]
    s: list[tuple[int, ...]]
    a: list[tuple[int, ...]]
    r: list[tuple[float, ...]]


def dictionary_iteration(
    mdp: NetworkedMDP,
    hoods: Sequence[tuple[int, ...]],
    theta: Sequence[Array],
    m: int,
    rng: np.random.Generator,
    *,
    T: int,
    h: float,
    t0: float,
    eta: float,
) -> DictionaryIteration:
    """θ(m+1) from θ(m) = `theta` by lines 2-12 of Algorithm 1, with N_i^κ in `hoods`."""
    n, gamma = mdp.n, mdp.gamma
    zeta = []
    for theta_i in theta:
        weights = np.exp(theta_i - theta_i.max(axis=1, keepdims=True))
        zeta.append(weights / weights.sum(axis=1, keepdims=True))
    Q_hat: list[dict[Cell, float]] = [{} for _ in range(n)]
    state = _start(mdp, rng)
    s: list[tuple[int, ...]] = []
    a: list[tuple[int, ...]] = []
    r: list[tuple[float, ...]] = []
    last: list[Cell] = []
    for t in range(T + 1):
        action = tuple(int(rng.choice(len(zeta[i][state[i]]), p=zeta[i][state[i]])) for i in range(n))
        cells = [(tuple([state[j] for j in hood]), tuple([action[j] for j in hood])) for hood in hoods]
        if t > 0:
            alpha = h / (t - 1 + t0)
            for i in range(n):
                Q_hat_i = Q_hat[i]
                target = r[-1][i] + gamma * Q_hat_i.get(cells[i], 0.0)
                Q_hat_i[last[i]] = (1 - alpha) * Q_hat_i.get(last[i], 0.0) + alpha * target
        s.append(state)
        a.append(action)
        r.append(tuple(float(mdp.r[i][state[i], action[i]]) for i in range(n)))
        if t < T:
            rows = [mdp.P[i][(*[state[j] for j in mdp.neighbors[i]], action[i])] for i in range(n)]
            state = tuple(int(rng.choice(len(row), p=row)) for row in rows)
        last = cells
    g_hat = [np.zeros_like(theta_i) for theta_i in theta]
    for t in range(T + 1):
        value = [
            Q_hat[j].get((tuple([s[t][k] for k in hood]), tuple([a[t][k] for k in hood])), 0.0)
            for j, hood in enumerate(hoods)
        ]
        for i in range(n):
            Q = gamma**t / n * sum([value[j] for j in hoods[i]])
            g_hat[i][s[t][i]] -= Q * zeta[i][s[t][i]]
            g_hat[i][s[t][i], a[t][i]] += Q
    theta_next = [theta[i] + eta / np.sqrt(m + 1) * g_hat[i] for i in range(n)]
    return DictionaryIteration(theta_next, s, a, r)


def dictionary_sac(
    mdp: NetworkedMDP,
    theta0: Sequence[Array],
    *,
    kappa: int,
    M: int,
    T: int,
    h: float,
    t0: float,
    eta: float,
    seed: int,
) -> list[Array]:
    """θ(M) of Algorithm 1 from θ(0) = `theta0`, one array of shape (S_i, A_i) an agent."""
    rng = np.random.default_rng(seed)
    hoods = [neighborhood(mdp.graph, i, kappa) for i in range(mdp.n)]
    theta = [np.array(theta_i, dtype=np.float64) for theta_i in theta0]
    for m in range(M):
        theta = dictionary_iteration(mdp, hoods, theta, m, rng, T=T, h=h, t0=t0, eta=eta).theta_next
    return theta


def _start(mdp: NetworkedMDP, rng: np.random.Generator) -> tuple[int, ...]:
    if isinstance(mdp.pi0, np.ndarray):
        outcome = rng.choice(mdp.pi0.size, p=mdp.pi0.ravel())
        return tuple(int(s_i) for s_i in np.unravel_index(outcome, mdp.pi0.shape))
    return tuple(int(rng.choice(len(marginal), p=marginal)) for marginal in mdp.pi0)
