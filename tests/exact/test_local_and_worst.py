"""Intervals from an agent's surroundings alone, the search over policies, and the bracket of the supremum."""

import re
import time
import types
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sacrepro import NetworkedMDP, as_coupled
from sacrepro.exact import (
    decay_profile,
    decay_supremum,
    dense,
    evaluate,
    local_decay,
    local_value,
    objective_and_gradient,
    worst_decay,
)
from sacrepro.exact.decay.supremum import MOST_FREE, _differences, _followed, _free_rows, _over_box, _policies
from sacrepro.exact.decay.worst import _deterministic
from sacrepro.exact.optimum import joint_kernel, joint_reward
from sacrepro.instances.extremal import coin_lover, signal, td_witness
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.instances.relay import relay
from sacrepro.model.graph import diameter
from sacrepro.model.policy import gaussian_theta, policies, uniform_theta
from strategies import cases

#: The dense solve: condition 2/(1-γ) times a few hundred units, r̄ ≤ 4, γ ≤ .95.
DENSE = 400 * 2.0**-53 * 4 * 2 / 0.05**2


def spread(mdp, agents, table):
    return table.reshape([mdp.state_sizes[j] if j in agents else 1 for j in range(mdp.n)])


@given(cases(max_n=4))
@settings(max_examples=40)
def test_local_intervals_hold_everywhere(case):
    mdp, theta = case
    V, D = dense.values(mdp, policies(mdp, theta)), dense.decay_profile(mdp, theta)
    for i in range(mdp.n):
        for tol in (1.0, 1e-3, 1e-8):
            value = local_value(mdp, theta, i, tol)
            assert value.error <= tol
            assert np.abs(V[i] - spread(mdp, value.agents, value.V)).max() <= value.error + DENSE
            lower, upper = local_decay(mdp, theta, i, diameter(mdp.graph), tol)
            assert (lower <= D[i] + DENSE).all()
            assert (D[i] <= upper + DENSE).all()


def sticky(gamma, stay=0.999, rewards=1.0):
    """Three agents that keep their state with this probability, whatever they do."""
    base = random_mdp(nx.path_graph(3), seed=0, gamma=gamma)
    P = []
    for P_i, hood, i in zip(base.P, base.neighbors, range(3), strict=True):
        own = [2 if j == i else 1 for j in hood]
        P.append((1.0 - stay) * P_i + stay * np.eye(2).reshape([*own, 1, 2]))
    return NetworkedMDP(base.graph, P, [rewards * r_i for r_i in base.r], gamma, base.pi0)


@pytest.mark.parametrize("gamma", [0.9999, 0.999999])
def test_a_tolerance_below_rounding_is_refused_at_once(gamma):
    """Seen: 30 s at γ = .9999 and minutes at .999999, long after rounding had passed `tol`."""
    mdp = sticky(gamma)
    started = time.process_time()
    with pytest.raises(ValueError, match=r"an error of 1e-08 is below what rounding allows for V_1 .*attainable: tol"):
        local_value(mdp, uniform_theta(mdp), 1)
    with pytest.raises(ValueError, match=r"below what rounding allows for V_0 .* for local_decay"):
        local_decay(mdp, uniform_theta(mdp), 0, 1, 1e-8)
    assert time.process_time() - started < 5.0


def test_the_tolerance_that_is_named_is_attainable():
    mdp = sticky(0.99, 0.9, rewards=1e4)
    theta = uniform_theta(mdp)
    with pytest.raises(ValueError, match="attainable") as refused:
        local_value(mdp, theta, 1, 1e-10)
    tol = float(re.search(r"attainable: tol = ([^,]+),", str(refused.value)).group(1))
    value = local_value(mdp, theta, 1, tol)
    assert value.error <= tol
    assert np.abs(evaluate(mdp, theta).V[1] - spread(mdp, value.agents, value.V)).max() <= tol + 1e-7
    decay_tol = float(re.search(r"or (\S+) for local_decay", str(refused.value)).group(1))
    lower, upper = local_decay(mdp, theta, 1, 0, decay_tol)
    assert lower[0] <= decay_profile(mdp, theta)[1, 0] <= upper[0]


@pytest.mark.parametrize("gamma", [0.9, 0.999])
def test_certificates_hold_for_kernels_that_are_normalised_exactly(gamma):
    """Rows miss 1 by rounding; with r = 1 the normalised model has V = 1/(1-γ), whatever it does."""
    low = np.array([0.5, 0.5 - 1.5e-15])
    mdp = NetworkedMDP(nx.path_graph(2), (np.broadcast_to(low, (2, 2, 2, 2)),) * 2, (np.ones((2, 2)),) * 2, gamma,
                       (np.full(2, 0.5),) * 2)  # fmt: skip
    assert abs(mdp.P[0].sum(axis=-1) - 1.0).max() > 1e-15
    theta = uniform_theta(mdp)
    value, local = evaluate(mdp, theta), local_value(mdp, theta, 0, 1e-6)
    gradient = objective_and_gradient(mdp, theta)
    coupled = evaluate(as_coupled(mdp), theta)
    exact = Fraction(1) / (1 - Fraction(gamma))
    for found, error in ((value.V.ravel()[0], value.error), (value.J, value.J_error), (local.V.ravel()[0], local.error),
                         (coupled.V.ravel()[0], coupled.error), (gradient.J, gradient.J_error)):  # fmt: skip
        assert abs(Fraction(float(found)) - exact) <= Fraction(error)


def test_agents_are_integers():
    mdp = random_mdp(nx.path_graph(3), seed=0)
    assert local_value(mdp, uniform_theta(mdp), np.int64(1)).error <= 1e-8
    for wrong in (True, 1.0, "1"):
        with pytest.raises(TypeError, match="an agent is an integer, got"):
            local_value(mdp, uniform_theta(mdp), wrong)


def test_freezing_is_charged():
    """On a tight budget of table entries the interval widens, and still holds."""
    mdp = random_mdp(nx.cycle_graph(9), seed=3, concentration=0.3)
    theta = gaussian_theta(mdp, np.random.default_rng(3))
    V = evaluate(mdp, theta).V[4]
    wide = local_value(mdp, theta, 4, 1e-8, largest=64)
    narrow = local_value(mdp, theta, 4, 1e-8)
    assert narrow.error <= 1e-8 < wide.error
    for value in (wide, narrow):
        assert np.abs(V - spread(mdp, value.agents, value.V)).max() <= value.error + 1e-10
    D = decay_profile(mdp, theta)[4]
    lower, upper = local_decay(mdp, theta, 4, 4, 1e-6, largest=64)
    assert (lower <= D + 1e-9).all()
    assert (upper + 1e-9 >= D).all()


def test_the_cost_does_not_depend_on_n():
    """The same kernels on paths of 40 and of 40 thousand agents: the same table around the middle agent."""
    base = random_mdp(nx.path_graph(40), seed=2)
    theta = gaussian_theta(base, np.random.default_rng(2))
    small = local_value(base, theta, 20, 1e-6)
    offset = 20000
    kernels = [base.P[1]] * 39960 + [base.P[0]] * 80
    kernels[offset : offset + 38] = base.P[1:39]
    rewards, logits = [base.r[0]] * 40040, [theta[0]] * 40040
    rewards[offset : offset + 38], logits[offset : offset + 38] = base.r[1:39], theta[1:39]
    long = types.SimpleNamespace(graph=nx.path_graph(40040), P=kernels, r=rewards, gamma=base.gamma)
    large = local_value(long, logits, offset + 19, 1e-6)
    assert large.agents == tuple(j + offset - 1 for j in small.agents)
    assert np.array_equal(large.V, small.V)
    assert large.error == small.error


def test_local_refusals():
    mdp = random_mdp(nx.path_graph(3), seed=0)
    with pytest.raises(ValueError, match="agent 7"):
        local_value(mdp, uniform_theta(mdp), 7)
    theta = (np.zeros((2, 3)), *uniform_theta(mdp)[1:])
    with pytest.raises(ValueError, match=r"theta\[0\] of agent 0 has shape \(2, 3\), expected \(2, 2\)"):
        local_value(mdp, theta, 0)


def test_theta_of_a_local_evaluation_is_checked():
    mdp = random_mdp(nx.path_graph(3), seed=0)
    theta = uniform_theta(mdp)
    for evaluated in (local_value, lambda *given: local_decay(*given, 1)):
        with pytest.raises(ValueError, match="theta holds 2 arrays, but there are 3 agents"):
            evaluated(mdp, theta[:2], 0)
        with pytest.raises(TypeError, match=r"theta\[1\] of agent 1 must hold real numbers"):
            evaluated(mdp, ([[0.5, 0.5]] * 2, np.array([["a", "b"]] * 2), theta[2]), 0)
        with pytest.raises(TypeError, match=r"theta\[1\] of agent 1 must hold real numbers"):
            evaluated(mdp, (theta[0], np.array([["a", "b"]] * 2), theta[2]), 0)
        with pytest.raises(ValueError, match=r"agent 1: theta_i has logits \[nan, nan\] in state 0"):
            evaluated(mdp, (theta[0], np.full((2, 2), np.nan), theta[2]), 0)


def test_a_cell_of_everybody_leaves_nothing_open():
    """D_i(κ) = 0 once i reaches nobody outside: no margin of the value function is charged there."""
    mdp = random_mdp(nx.disjoint_union(nx.path_graph(3), nx.path_graph(2)), seed=0, gamma=0.99)
    found = local_decay(mdp, uniform_theta(mdp), 0, 4)
    assert found.upper[2:].tolist() == [0.0, 0.0, 0.0]
    assert found.lower[1] > 0.0
    # The table of values ends earlier here, and what was frozen may still move Q_0.
    long = random_mdp(nx.path_graph(12), seed=0, gamma=0.9)
    assert (local_decay(long, uniform_theta(long), 0, 10, 1e-3).upper > 0.0).all()
    assert local_decay(long, uniform_theta(long), 0, 11, 1e-3).upper[11] == 0.0


def test_the_worst_policy_is_at_least_every_policy_tried():
    mdp = random_mdp(nx.path_graph(3), seed=8)
    worst = worst_decay(mdp, 1, 0)
    assert worst.exhaustive
    assert worst.tried >= 4**3
    assert abs(dense.decay_profile(mdp, worst.theta)[1, 0] - worst.D) <= 1e-7
    brute = max(dense.decay_profile(mdp, theta)[1, 0] for theta in _deterministic(mdp, (0, 1, 2)))
    assert brute - 1e-7 <= worst.D
    rng = np.random.default_rng(0)
    for _ in range(50):
        assert dense.decay_profile(mdp, gaussian_theta(mdp, rng, 3.0))[1, 0] <= worst.D + 1e-7


def test_a_search_without_a_policy_is_refused():
    """Seen: D = -1."""
    mdp = random_mdp(nx.path_graph(3), seed=8)
    with pytest.raises(ValueError, match="starts must be at least 1, got 0"):
        worst_decay(mdp, 1, 0, starts=0, exhaustive_limit=0)
    with pytest.raises(ValueError, match="starts must be at least 0, got -1"):
        worst_decay(mdp, 1, 0, starts=-1)


def test_local_search_finds_what_enumeration_finds():
    mdp = random_mdp(nx.path_graph(3), seed=9)
    everything = worst_decay(mdp, 0, 0)
    searched = worst_decay(mdp, 0, 0, exhaustive_limit=0, starts=6)
    assert not searched.exhaustive
    assert searched.D <= everything.D + 1e-7
    assert abs(dense.decay_profile(mdp, searched.theta)[0, 0] - searched.D) <= 1e-7
    # What coordinate ascent promises: no single row, set to a vertex or to the uniform law, raises D by what it counts
    # as progress, 1e-6 relative and 1e-7. D is off by 2γ tol on either side.
    for j, block in enumerate(searched.theta):
        for s in range(len(block)):
            for row in (np.array([0.0, -np.inf]), np.array([-np.inf, 0.0]), np.zeros(2)):
                moved = [other.copy() for other in searched.theta]
                moved[j][s] = row
                D = dense.decay_profile(mdp, tuple(moved))[0, 0]
                assert D <= searched.D * (1 + 1e-6) + 2e-7


def test_the_relay_is_worst_under_every_policy_and_far_agents_never_matter():
    mdp = relay(3, gamma=0.5)
    assert abs(worst_decay(mdp, 2, 1, starts=1, exhaustive_limit=0).D - 0.5) <= 1e-7
    assert worst_decay(mdp, 2, 5, starts=1, exhaustive_limit=0).D == 0.0
    with pytest.raises(ValueError, match="kappa"):
        worst_decay(mdp, 0, -1)
    with pytest.raises(ValueError, match="agent 3"):
        worst_decay(mdp, 3, 0)


@pytest.mark.parametrize("gap", [1.0, 78.0, 250.0, 500.0, 740.0])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9, 0.99])
def test_certificates_hold_for_logits_far_apart(gap, gamma):
    """Against balls of 400 bits, rewards and moves on actions that are taken with probability e^-gap among them."""
    flint = pytest.importorskip("flint")
    rng = np.random.default_rng(int(gap))
    flint.ctx.prec = 400
    ball = np.vectorize(lambda x: flint.arb(float(x)), otypes=[object])
    for _ in range(10):
        S, A = int(rng.integers(1, 4)), int(rng.integers(2, 4))
        P = np.eye(S)[rng.integers(0, S, size=(S, A))] if rng.random() < 0.5 else rng.dirichlet(np.full(S, 0.5), (S, A))
        theta = gap * rng.random((S, A)) * rng.choice([0, 1, 2], size=(S, A))
        r = rng.random((S, A)) * (theta < theta.max(axis=1, keepdims=True))
        mdp = NetworkedMDP(nx.empty_graph(1), [P], [r], gamma, (np.full(S, 1 / S),))
        P, r = ball(mdp.P[0]), ball(mdp.r[0])
        weights = np.array([[x.exp() for x in row] for row in ball(theta)], dtype=object)
        zeta = weights / weights.sum(axis=1, keepdims=True)
        matrix = ball(np.eye(S)) - ball(gamma) * (zeta[..., None] * P).sum(axis=1)
        mean = flint.arb_mat(S, 1, list((zeta * r).sum(axis=1)))
        V = flint.arb_mat(S, S, list(matrix.ravel())).solve(mean)
        value, local = evaluate(mdp, (theta,)), local_value(mdp, (theta,), 0)
        for s in range(S):
            assert abs(flint.arb(float(value.V[0][s])) - V[s, 0]) < flint.arb(value.error) * (1 + 1e-12) + 1e-300
            assert abs(flint.arb(float(local.V[s])) - V[s, 0]) < flint.arb(local.error) * (1 + 1e-12) + 1e-300


# The supremum over all policies, bracketed.


class Boxes:
    """What `decay_supremum` bounds, for one agent and κ of a small model."""

    def __init__(self, mdp, i, kappa):
        self.mdp, self.i, self.kappa = mdp, i, kappa
        self.rows, self.acts, self.free = _free_rows(mdp)
        self.P, self.r = joint_kernel(mdp), np.ascontiguousarray(joint_reward(mdp, (i,)))
        self.gaps = mdp.gamma * _differences(mdp, self.P, i, kappa)

    def over(self, gap, low, high):
        return _over_box(self.P, self.r, self.rows, self.acts, self.mdp.gamma, gap, low, high)

    def at(self, theta):
        """gap V for every gap, by a dense solve of the joint chain."""
        law, reward = _followed(
            self.P, self.r, self.rows, self.acts, theta, theta, np.zeros(len(self.P), dtype=np.int64)
        )
        return self.gaps @ np.linalg.solve(np.eye(len(law)) - self.mdp.gamma * law, reward)

    def grid(self, steps):
        """The largest D_i(κ) over a grid of policies, all at once; two agents."""
        points = np.stack(np.meshgrid(*[np.linspace(0, 1, steps)] * self.free, indexing="ij"), -1).reshape(
            -1, self.free
        )
        laws, rewards = np.zeros((len(points), *self.P.shape[::2])), np.zeros((len(points), len(self.P)))
        for s in range(len(self.P)):
            for a, act in enumerate(self.acts):
                weight = np.ones(len(points))
                for k, a_j in zip(self.rows[s], act, strict=True):
                    if k >= 0:
                        weight = weight * (points[:, k] if a_j else 1.0 - points[:, k])
                laws[:, s] += weight[:, None] * self.P[s, a]
                rewards[:, s] += weight * self.r[s, a]
        V = np.linalg.solve(np.eye(len(self.P)) - self.mdp.gamma * laws, rewards[..., None])[..., 0]
        return float((V @ self.gaps.T).max(initial=0.0))


def of_two_actions(case):
    mdp, _ = case
    free = sum(S_j for S_j, A_j in zip(mdp.state_sizes, mdp.action_sizes, strict=True) if A_j == 2)
    return max(mdp.action_sizes) <= 2 and free <= 6


@given(cases(max_n=3).filter(of_two_actions), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_no_policy_of_a_box_exceeds_its_bound(case, seed):
    """Corners and inner points of a random box, for every agent, κ and pair; D_i(κ) by the dense oracle."""
    mdp, rng = case[0], np.random.default_rng(seed)
    for i in range(mdp.n):
        box = Boxes(mdp, i, int(rng.integers(0, 2)))
        ends = np.sort(rng.choice([0.0, 1.0, *rng.random(3)], size=(2, box.free)), axis=0)
        inside = [np.where(rng.random(box.free) < 0.5, *ends) for _ in range(4)]
        inside += [ends[0] + rng.random(box.free) * (ends[1] - ends[0]) for _ in range(4)]
        values = np.array([box.at(theta) for theta in inside])
        for k, gap in enumerate(box.gaps):
            centre, bound, split = box.over(gap, *ends)
            assert values[:, k].max() <= bound + DENSE
            assert centre <= bound + DENSE
            assert centre == pytest.approx(box.at(0.5 * ends.sum(axis=0))[k], abs=DENSE)
            assert 0 <= split < max(box.free, 1)
        with np.errstate(divide="ignore"):
            theta = tuple(np.log(zeta_j) for zeta_j in _policies(mdp, inside[0]))
        D = dense.decay_profile(mdp, theta)[i]
        known = D[box.kappa] if box.kappa < len(D) else 0.0
        assert values[0].max(initial=0.0) == pytest.approx(known, abs=DENSE)


@pytest.mark.parametrize(("seed", "gamma"), [(0, 0.5), (1, 0.9), (2, 0.9), (3, 0.97)])
def test_the_bracket_holds_a_dense_grid(seed, gamma):
    """17⁴ policies of two agents; the bracket is as narrow as asked, and its policy has the value that is told."""
    mdp = random_mdp(nx.path_graph(2), seed=seed, gamma=gamma, concentration=0.2)
    for i in range(2):
        found = decay_supremum(mdp, i, 0, width=1e-3)
        on_grid = Boxes(mdp, i, 0).grid(17)
        assert on_grid <= found.upper
        assert on_grid >= 0.98 * found.lower
        assert found.upper <= 1.001 * found.lower + 1e-5 / (1 - gamma)
        assert dense.decay_profile(mdp, found.theta)[i, 0] == pytest.approx(found.lower, abs=1e-8)
        assert found.upper >= worst_decay(mdp, i, 0).D


def test_the_supremum_of_the_coin_lover():
    """Within 10⁻⁴: 1.7138 times what deterministic policies reach, where a fair coin has 1.48 times."""
    found = decay_supremum(coin_lover(), 1, 0, width=1e-4)
    assert 2.9306 < found.lower <= found.upper < 2.931
    assert found.lower / 1.71 == pytest.approx(1.7138, abs=1e-4)
    assert np.exp(found.theta[1])[0, 1] == pytest.approx(0.718, abs=1e-3)
    assert decay_profile(coin_lover(), found.theta)[1, 0] == pytest.approx(found.lower, abs=1e-9)


def test_the_supremum_is_exact_where_no_policy_matters():
    """The relay attains Lemma 3; a chain without actions has one policy; a cell of everybody leaves nothing."""
    found = decay_supremum(relay(3, gamma=0.9), 2, 1)
    assert found.lower == pytest.approx(0.81 / 0.1, abs=1e-9)
    assert found.lower <= found.upper <= found.lower + 1e-6
    only = decay_supremum(td_witness(), 0, 0)
    assert only.lower <= evaluate_D(td_witness(), 0) <= only.upper <= only.lower + 1e-6
    assert decay_supremum(signal(), 1, 1)[:2] == pytest.approx((0.0, 0.0), abs=1e-5)


def evaluate_D(mdp, i):
    return dense.decay_profile(mdp, uniform_theta(mdp))[i, 0]


def test_the_excess_of_a_box_is_of_second_order():
    """Around the best policy of the coin lover: half the box, a quarter of what is added to the centre's value."""
    box = Boxes(coin_lover(), 1, 0)
    best = np.array([0.0, 0.5, 0.71837, 1.0])
    k = int(np.argmax(box.at(best)))
    excess = []
    for half in (2e-3, 1e-3):
        low, high = best.copy(), best.copy()
        low[2], high[2] = best[2] - half, best[2] + half
        centre, bound, _ = box.over(box.gaps[k], low, high)
        excess.append(bound - centre)
    assert 3.0 < excess[0] / excess[1] < 5.0


def test_what_need_not_be_told_apart_is_not():
    """With `above` beyond the supremum one box a pair is enough, and the upper end is still one."""
    told = decay_supremum(coin_lover(), 1, 0, width=1e-4)
    quick = decay_supremum(coin_lover(), 1, 0, width=1e-4, above=5.0)
    assert quick.boxes < told.boxes
    assert told.lower <= quick.upper <= 5.0 + 1e-6


def test_a_search_that_ends_early_still_brackets():
    """What was not looked at counts with r̄γ/(1-γ), the most that any V can tell apart."""
    early, told = decay_supremum(coin_lover(), 1, 0, boxes=3), decay_supremum(coin_lover(), 1, 0)
    mdp = coin_lover()
    most = mdp.gamma * mdp.r_bar / (1.0 - mdp.gamma)
    assert early.lower <= told.lower <= told.upper < early.upper <= most * (1.0 + 1e-6)


@pytest.mark.parametrize("gamma", [0.5, 0.9])
def test_a_supremum_of_zero_is_told_to_the_width(gamma):
    """Agent 0 is read and reads nobody, and agent 1 may ignore what it reads: nothing relative to 0 is asked for."""
    rng = np.random.default_rng(0)
    source, target = rng.dirichlet([1.0, 1.0], size=(2, 2)), rng.dirichlet([1.0, 1.0], size=(2, 2))
    P = (np.stack([source, source], axis=1), np.stack([target, target], axis=0))
    mdp = NetworkedMDP(nx.path_graph(2), P, (rng.random((2, 2)), rng.random((2, 2))), gamma, (np.full(2, 0.5),) * 2)
    for i in range(2):
        found = decay_supremum(mdp, i, 0)
        assert found.lower == pytest.approx(0.0, abs=1e-9)
        assert found.upper <= 0.01 * mdp.r_bar * gamma / (1.0 - gamma) + 1e-6


def test_refusals_of_the_bracket():
    three = random_mdp(nx.path_graph(2), seed=0, gamma=0.5, action_sizes=(2, 3))
    with pytest.raises(ValueError, match="agent 1 has 3 actions; at most 2"):
        decay_supremum(three, 0, 0)
    with pytest.raises(ValueError, match=f"10 free probabilities; at most {MOST_FREE}"):
        decay_supremum(random_mdp(nx.path_graph(5), seed=0, gamma=0.5), 0, 0)
    many = random_mdp(nx.path_graph(2), seed=0, gamma=0.5, state_sizes=(9, 8), action_sizes=(1, 1))
    with pytest.raises(ValueError, match="72 joint states; at most 64"):
        decay_supremum(many, 0, 0)
    with pytest.raises(ValueError, match="width"):
        decay_supremum(coin_lover(), 1, 0, width=0.0)
    with pytest.raises(ValueError, match="above must be at least 0"):
        decay_supremum(coin_lover(), 1, 0, above=float("nan"))
    with pytest.raises(ValueError, match="agent"):
        decay_supremum(coin_lover(), 5, 0)


def test_terms_that_are_small_one_by_one_do_not_span_a_table_without_end():
    """On the relay the term of step t is a table of agent i-t alone; `local_decay` asked for 256 TiB."""
    mdp = relay(500, gamma=0.7)
    found = local_value(mdp, uniform_theta(mdp), 250, largest=1 << 12)
    assert found.V.size <= 1 << 12
    assert 1e-8 < found.error < 0.7**12 / 0.3
    # V_i(s) = Σ_t γ^t s_{i-t}, to within γ^250/(1-γ).
    rng = np.random.default_rng(0)
    for bits in (np.zeros(251), np.ones(251), *rng.integers(0, 2, size=(20, 251))):
        exact = sum(0.7**t * bits[250 - t] for t in range(251))
        assert abs(found.V[tuple(int(bits[j]) for j in found.agents)] - exact) <= found.error
    bounds = local_decay(mdp, uniform_theta(mdp), 250, 2)
    for kappa in range(3):
        assert bounds.lower[kappa] <= 0.7 ** (kappa + 1) / 0.3 <= bounds.upper[kappa]
    assert (bounds.upper - bounds.lower).max() < 0.05
