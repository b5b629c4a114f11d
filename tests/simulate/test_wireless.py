"""Wireless access with deadlines: kernels by hand, the simulator against the kernels, the seed-conform variant."""

import itertools
import math
import re

import numpy as np
import pytest
from scipy import stats

from sacrepro import CoupledMDP, decay_profile, evaluate, sac
from sacrepro.bounds.decay import reward_radius
from sacrepro.instances import build
from sacrepro.instances.wireless import layout, most_urgent, queue, start, wireless, wireless_committed
from sacrepro.model.policy import gaussian_theta, policies, uniform_theta
from sacrepro.simulate import Simulator, WirelessSimulator, as_simulator

#: Chance that any of the goodness-of-fit tests of this file rejects a correct simulator: about 30 tests, 1e-6 each.
REJECT = 1e-6


def test_layout_of_the_benchmark():
    """Three rows of four cells: six points at interior corners; corners reach one, edges two, the inside four."""
    access, points = layout(3, 4, 2)
    assert points == 6
    assert [len(own) for own in access[::2]] == [1, 2, 2, 1, 2, 4, 4, 2, 1, 2, 2, 1]
    assert access[0] == access[1] == (0,)
    assert access[10] == (0, 1, 3, 4)  # cell (1, 1)
    assert [sum(y in own for own in access) for y in range(6)] == [8] * 6


def test_layout_of_a_row():
    assert layout(1, 4).access == ((0,), (0, 1), (1, 2), (2,))
    assert layout(3, 1).access == ((0,), (0, 1), (1,))
    with pytest.raises(ValueError, match="two cells or more"):
        layout(1, 1)


def test_queue():
    """b = 0b11 of d = 2: the urgent packet is lost, the other becomes urgent."""
    assert most_urgent(0b11) == 0
    assert most_urgent(0b10) == 1
    assert most_urgent(0) == -1
    assert queue(0b11, 2, 0.25).tolist() == [0.0, 0.75, 0.0, 0.25]
    assert start(2, 0.25).tolist() == [0.75, 0.0, 0.25, 0.0]


def test_kernel_by_hand():
    """Two cells, one point, d = 2, q = .8, p = .25: user 0 holds 0b11 and sends; what happens depends on user 1."""
    mdp = wireless(rows=1, columns=2, deadline=2, p=0.25, q=0.8)
    assert mdp.state_sizes == (4, 4)
    assert mdp.action_sizes == (2, 2)
    # Alone: .8 sends the urgent packet, leaving 0b10, which becomes 0b01; either way the urgent one is gone.
    assert mdp.r[0][3, 0, 1, 0] == 0.8
    np.testing.assert_allclose(mdp.P[0][3, 0, 1, 0], [0.0, 0.75, 0.0, 0.25])
    # 0b10 alone: served with .8, leaving nothing; else it becomes urgent.
    np.testing.assert_allclose(mdp.P[0][2, 0, 1, 0], [0.8 * 0.75, 0.2 * 0.75, 0.8 * 0.25, 0.2 * 0.25])
    # A collision, even with an empty queue on the other side; and nothing to send.
    assert mdp.r[0][3, 0, 1, 1] == 0.0
    np.testing.assert_allclose(mdp.P[0][2, 0, 1, 1], [0.0, 0.75, 0.0, 0.25])
    assert mdp.r[0][0, 0, 1, 0] == 0.0
    assert mdp.r[0][3, 3, 0, 1] == 0.0


def test_kernel_by_hand_with_slots():
    """Actions name the slot: 1 is the urgent one, 2 the newest; an empty slot sends nothing."""
    mdp = wireless(rows=1, columns=2, deadline=2, p=0.25, q=0.8, slots=True)
    assert mdp.action_sizes == (3, 3)
    np.testing.assert_allclose(mdp.P[0][3, 0, 2, 0], [0.8 * 0.75, 0.2 * 0.75, 0.8 * 0.25, 0.2 * 0.25])
    assert mdp.r[0][2, 0, 1, 0] == 0.0
    assert mdp.r[0][2, 0, 2, 0] == 0.8


def test_committed_kernel_by_hand():
    """d = 1, s = (b·2 + u)·2 + f: user 0 has a packet and is committed, user 1 is not; success is paid a slot later."""
    mdp = wireless_committed(rows=1, columns=2, deadline=1, p=0.25, q=0.8)
    assert mdp.state_sizes == (8, 8)
    s = (1 * 2 + 1) * 2 + 0
    expected = np.zeros((2, 2, 2))  # b', u', f'
    expected[:, 1, :] = np.outer([0.75, 0.25], [0.2, 0.8])
    np.testing.assert_allclose(mdp.P[0][s, 0, 1], expected.ravel())
    collided = np.zeros((2, 2, 2))
    collided[:, 0, 0] = [0.75, 0.25]
    np.testing.assert_allclose(mdp.P[0][s, (0 * 2 + 1) * 2, 0], collided.ravel())
    assert mdp.r[0].tolist() == [[0.0, 0.0], [1.0, 1.0]] * 4
    assert build({"model": "wireless", "rows": 1, "columns": 2}).state_sizes == (8, 8)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"q": "a"}, r"wireless: q\[0\] of access point 0 must hold real numbers, got 'a'"),
        ({"p": "a"}, r"wireless: p\[0\] of user 0 must hold real numbers, got 'a'"),
        ({"deadline": 1.5}, "wireless: deadline must be an integer, got 1.5"),
        ({"rows": 1.5}, "wireless: rows must be an integer, got 1.5"),
        ({"q": (0.5, 0.5)}, "q holds 2 numbers, but there are 1 access points"),
        ({"q": 1.5}, r"q must hold probabilities in \[0, 1\]"),
        ({"p": -0.1}, r"p must hold probabilities in \[0, 1\]"),
        ({"deadline": 0}, "deadline must be at least 1"),
        ({"users_per_cell": 0}, "users_per_cell must be at least 1"),
        ({"deadline": 17}, "deadline must be at most 16"),
    ],
)
def test_refusals(parameters, message):
    error = TypeError if re.search("must hold real numbers|must be an integer", message) else ValueError
    for model in (wireless, wireless_committed):
        with pytest.raises(error, match=message):
            model(**{"rows": 1, "columns": 2} | parameters)


def test_simulator_refusals():
    access = layout(1, 3).access
    with pytest.raises(ValueError, match="q must hold probabilities"):
        WirelessSimulator(access, (2.0, 0.5), (0.5,) * 3, deadline=1, gamma=0.7)
    with pytest.raises(ValueError, match="every access point needs a q"):
        WirelessSimulator(access, (0.5,), (0.5,) * 3, deadline=1, gamma=0.7)
    with pytest.raises(ValueError, match="gamma"):
        WirelessSimulator(access, (0.5, 0.5), (0.5,) * 3, deadline=1, gamma=1.0)


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"deadline": 0}, ValueError, "deadline must be at least 1, got 0"),  # seen: SIGSEGV
        ({"deadline": -1}, ValueError, "deadline must be at least 1, got -1"),
        ({"deadline": 1.5}, TypeError, "deadline must be an integer, got 1.5"),
        ({"deadline": 10**9}, ValueError, "deadline must be at most 16, got 1000000000"),
        ({"access": [[0], [-(10**7)]]}, ValueError, r"access\[1\]\[0\] of user 1 must be at least 0"),  # seen: SIGSEGV
        ({"access": [[0], [-1]]}, ValueError, r"access\[1\]\[0\] of user 1 must be at least 0, got -1"),
        ({"access": [[0], [0.5]]}, TypeError, r"access\[1\]\[0\] of user 1 must be an integer, got 0.5"),
        ({"access": [[0], [1]]}, ValueError, r"access\[1\] of user 1 has access point 1, but q holds 1"),
        ({"access": [[0], [0, 0]]}, ValueError, r"access\[1\] of user 1 has access point 0 twice"),
        ({"access": [[0], 0]}, TypeError, r"access\[1\] of user 1 must hold its access points, got 0"),
        ({"access": [[0], "0"]}, TypeError, r"access\[1\] of user 1 must hold its access points, got '0'"),
        ({"access": [], "p": []}, ValueError, "access holds no user"),
        ({"access": 2}, TypeError, "access must hold the access points of each user, got 2"),
        ({"q": ["a"]}, TypeError, r"q\[0\] of access point 0 must hold real numbers, got 'a'"),
        ({"q": 0.5}, TypeError, "q must hold one probability for each access point, got 0.5"),
        ({"q": [[0.5]]}, ValueError, r"q must hold probabilities in \[0, 1\], got \[0.5\] of access point 0"),
        ({"p": [0.5, math.nan]}, ValueError, r"p must hold probabilities in \[0, 1\], got nan of user 1"),
        ({"p": [0.5]}, ValueError, "2 users need as many p, got 1"),
        ({"slots": "no"}, TypeError, "slots must be True or False, got 'no'"),
    ],
)
def test_a_network_that_is_none_is_refused_by_user_and_entry(changed, error, message):
    whole = {"access": [[0], [0]], "q": [1.0], "p": [0.5, 0.5], "deadline": 1, "gamma": 0.5}
    with pytest.raises(error, match="wireless: " + message):
        WirelessSimulator(**whole | changed)


def test_access_points_may_be_arrays():
    """Seen: "The truth value of an empty array is ambiguous"."""
    told = {"q": np.array([1.0]), "p": np.array([1.0, 0.5]), "deadline": np.int64(1), "gamma": 0.5}
    sizes = {
        (2, 2): np.array([[0], [0]]),
        (2, 1): [np.array([0]), np.array([], dtype=int)],
        (1, 2): [np.array([]), np.array([0], dtype=np.uint8)],
    }
    for expected, access in sizes.items():
        assert WirelessSimulator(access, **told).action_sizes == expected


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"seed": 1.5}, TypeError, "seed must be an integer, got 1.5"),  # seen: the returns of seed 1
        ({"seed": -1}, ValueError, r"seed must lie in 0..2\^64-1, got -1"),
        ({"T": -1}, ValueError, "T must be at least 1, got -1"),
        ({"T": True}, TypeError, "T must be an integer, got True"),
        ({"T": 10**13}, MemoryError, "an episode of T = 10000000000000 steps needs"),
        ({"episodes": 0}, ValueError, "episodes must be at least 1, got 0"),
        ({"episodes": 2.0}, TypeError, "episodes must be an integer, got 2.0"),
        ({"episodes": 10**15}, MemoryError, r"an array of 10\^15 returns needs"),
    ],
)
def test_returns_are_of_what_a_rollout_is(changed, error, message):
    sim = WirelessSimulator([[0], [0]], [1.0], [0.5, 0.5], deadline=1, gamma=0.5)
    with pytest.raises(error, match=message):
        sim.returns([np.full((2, 2), 0.5)] * 2, **{"T": 3, "seed": 1, "episodes": 2} | changed)


def grid(slots):
    """Three users in a row, two points, d = 2: the model and its simulator."""
    q = (0.8, 0.6)
    mdp = wireless(rows=1, columns=3, deadline=2, p=0.4, q=q, slots=slots)
    sim = WirelessSimulator(layout(1, 3).access, q, (0.4,) * 3, deadline=2, gamma=mdp.gamma, slots=slots)
    assert (sim.state_sizes, sim.action_sizes) == (mdp.state_sizes, mdp.action_sizes)
    assert set(sim.graph.edges) == set(mdp.graph.edges)
    return mdp, sim


def fits(observed, expected):
    """Pearson's test, cells with fewer than five expected merged; impossible outcomes must not occur."""
    assert observed[expected == 0].sum() == 0
    small = expected < 5
    o, e = np.append(observed[~small], observed[small].sum()), np.append(expected[~small], expected[small].sum())
    o, e = o[e > 0], e[e > 0]
    return len(o) < 2 or stats.chisquare(o, e * o.sum() / e.sum()).pvalue > REJECT


@pytest.mark.parametrize("slots", [False, True])
def test_simulator_samples_the_kernel(slots):
    """Next states, given (s_{N_i}, a_{N_i}), and mean rewards, over 200,000 steps; false alarms: `REJECT` each."""
    mdp, sim = grid(slots)
    zeta = policies(mdp, gaussian_theta(mdp, np.random.default_rng(0)))
    s, a, r = sim.rollout(zeta, 200_000, seed=3, m=0)
    for i in range(3):
        hood = mdp.neighbors[i]
        rows = np.ravel_multi_index([*(s[j, :-1] for j in hood), *(a[j, :-1] for j in hood)], mdp.r[i].shape)
        counts = np.bincount(rows, minlength=mdp.r[i].size)
        assert (counts > 0).mean() > 0.8
        joint = np.bincount(rows * 4 + s[i, 1:], minlength=4 * mdp.r[i].size).reshape(-1, 4)
        assert fits(joint.ravel(), (counts[:, None] * mdp.P[i].reshape(-1, 4)).ravel())
        paid = np.bincount(rows, weights=r[i, :-1], minlength=mdp.r[i].size)
        both = np.stack([paid, counts - paid])
        assert fits(both.ravel(), np.stack([counts * mdp.r[i].ravel(), counts * (1 - mdp.r[i].ravel())]).ravel())
        actions = np.bincount(s[i] * mdp.action_sizes[i] + a[i], minlength=zeta[i].size).reshape(zeta[i].shape)
        assert fits(actions.ravel(), (actions.sum(axis=1, keepdims=True) * zeta[i]).ravel())


def test_success_and_removal_go_together():
    """With d = 2 the packet that was served is gone, and the one that was not is still there, one slot older."""
    _, sim = grid(True)
    s, a, r = sim.rollout([np.full((4, A_i), 1 / A_i) for A_i in sim.action_sizes], 20_000, seed=1, m=0)
    for i in range(3):
        newest = (s[i, :-1] == 0b10) & (a[i, :-1] > sim.action_sizes[i] // 2)
        assert newest.sum() > 100
        assert ((s[i, 1:][newest] & 1) == (r[i, :-1][newest] == 0)).all()


def test_mean_return_agrees_with_the_exact_engine():
    """Σ_{t<200} γ^t r over 4,000 episodes against J(θ), within six standard errors."""
    mdp, sim = grid(False)
    theta = gaussian_theta(mdp, np.random.default_rng(2))
    found = sim.returns(policies(mdp, theta), 200, seed=5, episodes=4000)
    assert abs(found.mean() - evaluate(mdp, theta).J) <= 6 * found.std() / np.sqrt(len(found))


def test_copies_do_not_change_a_seed():
    """A run is a function of (seed, m): the same alone, in a batch, and in a longer episode."""
    _, sim = grid(True)
    A = sim.action_sizes
    seeds = np.array([7, 8], dtype=np.uint64)
    flat = np.concatenate([np.full(4 * A_i, 1 / A_i) for A_i in A for _ in seeds])
    episode = sim.episodes(flat, seeds, 4, 30)
    z, r = episode.z, episode.r(2 * sim.n, 30)
    for b, seed in enumerate((7, 8)):
        alone = sim.rollout([np.full((4, A_i), 1 / A_i) for A_i in A], 40, seed=seed, m=4)
        assert (z[b::2] == (alone.s * np.array(A)[:, None] + alone.a)[:, :31]).all()
        assert (r[b::2] == alone.r[:, :31]).all()
    other = sim.rollout([np.full((4, A_i), 1 / A_i) for A_i in A], 30, seed=7, m=5)
    assert (other.s != z[::2] // np.array(A)[:, None]).any()


def test_stale_queues_shift_one_step():
    """Without arrivals after the start stale users see what is left of the episode before: nothing, so nobody sends."""
    access = layout(1, 2).access
    sim = WirelessSimulator(access, (1.0,), (1.0, 0.0), deadline=1, gamma=0.5)
    sends = np.array([[1.0, 0.0], [0.0, 1.0]])
    # User 0 always has a packet and the point for itself: 1 + γ + γ², halved; stale, the first t = 0 sees zeros.
    fresh = sim.returns([sends, sends], 3, seed=0, episodes=3)
    stale = sim.returns([sends, sends], 3, seed=0, episodes=3, stale=True)
    assert fresh.tolist() == [0.875] * 3
    assert stale.tolist() == [0.375, 0.875, 0.875]


def test_committed_variant_through_the_plain_simulator():
    """Three users in a row: the plain simulator draws b, u, f as the rules say, step by step."""
    mdp = wireless_committed(rows=1, columns=3, deadline=2, p=0.4, q=(0.8, 0.6))
    A = np.array(mdp.action_sizes)
    s, a, _ = Simulator(mdp).rollout(policies(mdp, uniform_theta(mdp)), 5000, seed=0, m=0)
    b, u, f = s // 2 // A[:, None], (s // 2) % A[:, None], s % 2
    assert (u[:, 1:] == a[:, :-1]).all()
    picks = np.array([[layout(1, 3).access[i][k - 1] if k else -1 for k in u[i]] for i in range(3)])
    served = np.zeros(2)
    tried = np.zeros(2)
    for t, i in itertools.product(range(5000), range(3)):
        y = picks[i, t]
        heard = y >= 0 and (picks[:, t] == y).sum() == 1 and b[i, t] > 0
        assert heard or not f[i, t + 1]
        left = b[i, t]
        if heard:
            tried[y] += 1
            served[y] += f[i, t + 1]
            left -= (left & -left) * f[i, t + 1]
        assert (b[i, t + 1] & 1) == left >> 1
    for y, q_y in enumerate((0.8, 0.6)):
        assert stats.binomtest(int(served[y]), int(tried[y]), q_y).pvalue > REJECT


def test_decay_has_radius_one():
    """D_i(κ) of the original model is below r̄γ^κ/(1-γ), and a neighbor takes the whole reward of a slot at once.

    With d = 1 nothing that a queue held outlives the slot, so D_i(0) is that reward, r̄ = q.
    """
    mdp = wireless(rows=1, columns=3, deadline=1, p=0.5, q=0.9)
    D = decay_profile(mdp, uniform_theta(mdp))
    for i in range(3):
        for kappa in range(D.shape[1]):
            assert D[i, kappa] <= reward_radius(mdp.r_bar, mdp.gamma, kappa, 1) + 1e-9
    assert D[:, 0] == pytest.approx(0.9, abs=1e-9)


def test_steps_of_a_coupled_model_sample_its_kernel():
    """The learner's view of any `CoupledMDP`: next states given (s_{N_i}, a_{N_i}), and rewards as in the table."""
    mdp, _ = grid(False)
    simulator = as_simulator(mdp)
    s, a, r = simulator.rollout(policies(mdp, uniform_theta(mdp)), 10_000, seed=1, m=0)
    for i in range(3):
        hood = mdp.neighbors[i]
        rows = (*(s[j] for j in hood), *(a[j] for j in hood))
        assert (r[i] == mdp.r[i][rows]).all()
        flat = np.ravel_multi_index([row[:-1] for row in rows], mdp.r[i].shape)
        counts = np.bincount(flat, minlength=mdp.r[i].size)
        joint = np.bincount(flat * 4 + s[i, 1:], minlength=4 * mdp.r[i].size)
        assert fits(joint, (counts[:, None] * mdp.P[i].reshape(-1, 4)).ravel())


def test_the_learner_runs_on_a_coupled_model_with_a_joint_start():
    mdp, _ = grid(False)
    joint = np.zeros((4, 4, 4))
    joint[1, 2, 3] = 1.0
    mdp = CoupledMDP(mdp.graph, mdp.P, mdp.r, mdp.gamma, joint)
    theta = [np.zeros((4, A_i)) for A_i in mdp.action_sizes]
    trace = sac(mdp, theta, kappa=1, M=3, T=5, h=1.0, t0=1.0, eta=1.0, seed=0)
    assert np.isfinite(trace.J_estimate).all()
    assert as_simulator(mdp).rollout(policies(mdp, theta), 2, seed=0, m=0).s[:, 0].tolist() == [1, 2, 3]
