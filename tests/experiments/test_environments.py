"""The applications of the paper's introduction: transitions by hand, frequencies of their mechanism, refusals."""

from __future__ import annotations

import itertools
import json
import math

import networkx as nx
import numpy as np
import pytest
import scipy.stats

from sacrepro import cli, natural_weights, policy_gradient, q_function, td_fixed_point, truncate
from sacrepro.archive.files import read_rows
from sacrepro.bounds.influence import influence_matrix
from sacrepro.exact.truncation import truncated_policy_gradient
from sacrepro.instances import MODELS, build
from sacrepro.instances.models import OUTSIDE, counted_sis, links, queueing, sis, social, sysadmin, thermal
from sacrepro.learn import sac_seeds
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import policies, uniform_theta
from sacrepro.simulate import Simulator
from sacrepro.study.experiments.environments import EnvironmentRow, certified_rows, exact_rows
from sacrepro.study.record.case import exact_case

#: Probability that a goodness-of-fit test would refuse a perfect kernel, for one draw of its seeds; they are fixed.
ERROR_RATE = 1e-6
#: Transitions that each mechanism draws from one (s, a), and the number of (s, a).
DRAWS, PLACES = 4000, 24

PATH = nx.path_graph(3)


def sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x))


def test_social_transitions_by_hand():
    """Agent 1 of a path of three, P[1] indexed [s_0, s_1, s_2, a_1, s_1']; the fields of 0 and 2 add or cancel."""
    mdp = social(PATH, gamma=0.9, coupling=0.3, bias=-0.2, promotion=0.5, inertia=0.25, value=1.0, cost=0.4)
    P = mdp.P[1]
    assert P[0, 0, 0, 0, 1] == pytest.approx(0.75 * sigmoid(2 * (-0.6 - 0.2)))
    assert P[1, 0, 0, 0, 1] == pytest.approx(0.75 * sigmoid(2 * -0.2))
    assert P[1, 1, 1, 1, 1] == pytest.approx(0.25 + 0.75 * sigmoid(2 * (0.6 - 0.2 + 0.5)))
    assert mdp.r[1].tolist() == [[0.4, 0.0], [1.4, 1.0]]
    assert mdp.r_bar == 1.4


def test_social_influence_is_at_most_tanh_and_attains_it_where_fields_cancel():
    """TV of two heat-bath laws whose fields differ by 2J is largest, tanh(J), when they are J and -J."""
    attained = influence_matrix(social(PATH, gamma=0.9, coupling=0.3, bias=0.3, promotion=0.0, inertia=0.2)).toarray()
    assert attained[1, 0] == pytest.approx(0.8 * math.tanh(0.3), rel=1e-12)
    below = influence_matrix(social(PATH, gamma=0.9, coupling=0.3, bias=2.0, promotion=0.0, inertia=0.2)).toarray()
    assert below[1, 0] < 0.8 * math.tanh(0.3) / 2


def test_social_fields_of_any_size_are_probabilities():
    mdp = social(PATH, gamma=0.9, coupling=1e6, inertia=0.0)
    assert mdp.P[1][1, 0, 1, 0].tolist() == [0.0, 1.0]
    assert mdp.P[1][0, 1, 0, 1].tolist() == [1.0, 0.0]


def test_sysadmin_transitions_by_hand():
    """Agent 1 of a path of three has two neighbors: each working one adds support/3."""
    mdp = sysadmin(PATH, gamma=0.95)
    P = mdp.P[1]
    assert P[1, 1, 1, 0, 1] == pytest.approx(0.95)
    assert P[1, 1, 0, 0, 1] == pytest.approx(0.45 + 0.5 * 2 / 3)
    assert P[0, 1, 0, 0, 1] == pytest.approx(0.45 + 0.5 / 3)
    assert P[1, 0, 1, 0, 1] == pytest.approx(0.1)
    assert (P[..., 1, 1] == 1.0).all()
    assert mdp.r[1].tolist() == [[0.75, 0.0], [1.75, 1.0]]
    assert mdp.pi0[1].tolist() == [0.0, 1.0]


def test_thermal_transitions_by_hand():
    """Agent 1 at 18 °C between 16 °C and 20 °C, outdoors 8 °C: 18 - .1·10 + .2·(-2 + 2) = 17 °C, half way to 16 °C."""
    mdp = thermal(PATH, gamma=0.9, outdoor=8.0, leak=0.1, exchange=0.2, heating=1.5, disturbance=0.0)
    assert mdp.P[1][0, 1, 2, 0].tolist() == pytest.approx([0.5, 0.5, 0.0])
    assert mdp.P[1][0, 1, 2, 1].tolist() == pytest.approx([0.0, 0.75, 0.25])  # heated to 18.5 °C
    assert mdp.P[1][0, 0, 0, 0].tolist() == pytest.approx([1.0, 0.0, 0.0])  # 15.2 °C is cut to 16 °C
    # 16, 18, 20 °C are 4, 2, 0 °C off the target: .25·(4 - off) and .2 for heating not paid for.
    assert mdp.r[1].ravel().tolist() == pytest.approx([0.2, 0.0, 0.7, 0.5, 1.2, 1.0])
    disturbed = thermal(PATH, gamma=0.9, outdoor=8.0, leak=0.1, exchange=0.2, heating=1.5, disturbance=0.2)
    assert disturbed.P[1][0, 1, 2, 0].tolist() == pytest.approx([0.5 * 0.9 + 0.05, 0.05 + 0.4, 0.05])


def test_thermal_keeps_the_mean_temperature_exact():
    mdp = thermal(nx.cycle_graph(4), gamma=0.9, levels=6, disturbance=0.0, heating=1.0, outdoor=14.0)
    x = 16.0 + 2.0 * np.arange(6)
    for levels in np.ndindex(6, 6, 6):
        own, others = x[levels[1]], x[levels[0]] + x[levels[2]]
        for a_i in range(2):
            y = own + 0.1 * (14.0 - own) + 0.1 * (others - 2 * own) + a_i
            assert mdp.P[1][levels][a_i] @ x == pytest.approx(np.clip(y, 16.0, 26.0))


def test_queueing_transitions_by_hand():
    """Exit 0 - 1 - 2. Agent 1 has links to 0 and 2, so s_1 = 3 q_1 + d_1; agent 0 to 1 and outside; agent 2 to 1."""
    mdp = queueing(PATH, gamma=0.9, exits=(0,), capacity=2, arrival=0.2, service=0.75)
    assert mdp.state_sizes == (9, 9, 6)
    assert mdp.action_sizes == (2, 2, 1)
    P = mdp.P[1]
    # One packet waits, nothing comes from 0 or 2: it leaves to agent 2 (link 1, d = 2) or stays, and one may arrive.
    law = P[0, 3 * 1 + 0, 0, 1]
    assert law[3 * 0 + 2] == pytest.approx(0.75 * 0.8)
    assert law[3 * 1 + 2] == pytest.approx(0.75 * 0.2)
    assert law[3 * 1 + 0] == pytest.approx(0.25 * 0.8)
    assert law[3 * 2 + 0] == pytest.approx(0.25 * 0.2)
    # Agent 0 and agent 2 both sent one here in the last step; agent 1 is empty and does not send: two arrive, all fit.
    assert P[1, 0, 1, 0, 3 * 2 + 0] == pytest.approx(1.0)
    # What agent 0 sent outside (d_0 = 2) does not come here.
    assert P[2, 0, 0, 0, 0] == pytest.approx(0.8)
    # Reward of agent 0: delivered, one packet waiting: 1 + .1·(2 - 1).
    assert mdp.r[0][3 * 1 + 2].tolist() == pytest.approx([1.1, 1.1])
    assert mdp.r[1][3 * 1 + 2].tolist() == pytest.approx([0.1, 0.1])


def test_queueing_conserves_packets():
    """Without arrivals and losses, packets that wait or are on a link vanish only through the exit."""
    mdp = queueing(nx.path_graph(4), gamma=0.9, exits=(3,), capacity=4, arrival=0.0, service=0.6)
    out = links(mdp.graph, (3,))
    full = NetworkedMDP(
        mdp.graph, mdp.P, mdp.r, 0.9, tuple(np.eye(S)[len(o) + 1] for S, o in zip(mdp.state_sizes, out, strict=True))
    )
    s = Simulator(full).rollout(policies(full, uniform_theta(full)), 200, seed=0, m=0).s
    width = np.array([len(out_i) + 1 for out_i in out])[:, None]
    q, d = np.divmod(s.astype(int), width)
    delivered = d[3] == out[3].index(OUTSIDE) + 1
    on_links = (d > 0).sum(axis=0) - delivered
    present = q.sum(axis=0) + on_links
    assert present[0] == 4
    assert (np.diff(present) == -delivered[1:].astype(int)).all()
    assert present[-1] == 0


def naive_queueing(q, a, service, capacity=1):
    """The joint law of q' on a path of two when a packet enters the next queue in the step in which it leaves."""
    law = np.zeros((capacity + 1,) * 2)
    for D in itertools.product(range(2), repeat=2):
        p = 1.0
        for i in range(2):
            leaves = service if q[i] else 0.0
            p *= leaves if D[i] else 1.0 - leaves
        # Agent 0 sends to agent 1 if a_0 = 1 and else to the outside; agent 1 sends to the outside.
        law[q[0] - D[0], min(capacity, q[1] - D[1] + D[0] * a[0])] += p
    return law


def test_necessary_the_departure_in_the_state():
    """With queues alone as states eq. (1) fails twice: q_1' sees a_0, and given (s, a) q_0' and q_1' are dependent."""
    forward, out = (naive_queueing((1, 0), (a_0, 0), 0.5) for a_0 in (1, 0))
    assert forward.sum(axis=0).tolist() == [0.5, 0.5]  # the law of q_1' if agent 0 sends to agent 1,
    assert out.sum(axis=0).tolist() == [1.0, 0.0]  # and if it sends to the outside
    product = np.outer(forward.sum(axis=1), forward.sum(axis=0))
    assert np.abs(forward - product).max() == 0.25
    # With the departure upstream the same network has the product form: the law of s_1' does not see a_0,
    mdp = queueing(nx.path_graph(2), gamma=0.9, exits=(0, 1), capacity=1, arrival=0.0, service=0.5)
    assert mdp.P[1].ndim == 4  # (s_0, s_1, a_1, s_1')
    # and the packet that leaves agent 0 (state q = 0, d = 1) is in queue 1 one step later.
    assert mdp.P[0][3, 0, 0, 1] == 0.5
    assert mdp.P[1][1, 0, 0, 3] == 1.0


# The mechanisms, written once more from the words of their docstrings: coins, not formulas.


def sis_mechanism(s, i, a_i, hood, rng):
    beta, delta, epsilon = (0.4, 0.2), (0.2, 0.6), 0.05
    if s[i]:
        return int(rng.random() >= delta[a_i])
    caught = rng.random() < epsilon
    for j in hood:
        if j != i and s[j]:
            caught |= rng.random() < beta[a_i]
    return int(caught)


def social_mechanism(s, i, a_i, hood, rng):
    """Gumbel noise on the two opinions' energies: the larger wins with the heat-bath probability."""
    if rng.random() < 0.2:
        return s[i]
    field = sum(0.3 * (1 if s[j] else -1) for j in hood if j != i) - 0.2 + 0.5 * a_i
    adopt, reject = field + rng.gumbel(), -field + rng.gumbel()
    return int(adopt > reject)


def sysadmin_mechanism(s, i, a_i, hood, rng):
    """A working machine draws keep; else support, and then a supporter out of itself and its neighbors."""
    if a_i:
        return 1
    u = rng.random()
    if not s[i]:
        return int(u < 0.1)
    if u < 0.45:
        return 1
    return int(u < 0.95 and s[rng.choice(hood)])


def thermal_mechanism(s, i, a_i, hood, rng):
    x = [16.0 + 2.0 * s_j for s_j in s]
    y = x[i] + 0.1 * (10.0 - x[i]) + sum(0.1 * (x[j] - x[i]) for j in hood if j != i) + 2.0 * a_i
    level = min(max((y - 16.0) / 2.0, 0.0), 2.0)
    level = int(level) + (rng.random() < level - int(level))
    if rng.random() < 0.1:
        level += rng.choice([-1, 1])
    return min(max(level, 0), 2)


QUEUE = {"exits": (0, 3), "capacity": 2, "arrival": 0.3, "service": 0.8}
OUT = links(nx.cycle_graph(4), QUEUE["exits"])


def queueing_mechanism(s, i, a_i, hood, rng):
    q = s[i] // (len(OUT[i]) + 1)
    left = q > 0 and rng.random() < QUEUE["service"]
    waiting = ["packet"] * (q - left)
    for j in hood:
        d_j = s[j] % (len(OUT[j]) + 1)
        if j != i and d_j and OUT[j][d_j - 1] == i and len(waiting) < QUEUE["capacity"]:
            waiting.append("forwarded")
    if rng.random() < QUEUE["arrival"] and len(waiting) < QUEUE["capacity"]:
        waiting.append("new")
    return len(waiting) * (len(OUT[i]) + 1) + (a_i + 1 if left else 0)


GRID = nx.convert_node_labels_to_integers(nx.grid_2d_graph(2, 3), ordering="sorted")
MECHANISMS = {
    "sis": (sis(GRID, gamma=0.9), sis_mechanism),
    "social": (social(GRID, gamma=0.9), social_mechanism),
    "sysadmin": (sysadmin(GRID, gamma=0.9), sysadmin_mechanism),
    "thermal": (thermal(GRID, gamma=0.9), thermal_mechanism),
    "queueing": (queueing(nx.cycle_graph(4), gamma=0.9, **QUEUE), queueing_mechanism),
}


def goodness_of_fit(mdp, mechanism, seed):
    """The p-value of χ² over DRAWS transitions of one agent from PLACES random (s, a); 0 if one was impossible."""
    rng = np.random.default_rng(seed)
    statistic, freedom = 0.0, 0
    for _ in range(PLACES):
        i = int(rng.integers(mdp.n))
        s = [int(rng.integers(S)) for S in mdp.state_sizes]
        a_i = int(rng.integers(mdp.action_sizes[i]))
        hood = neighborhood(mdp.graph, i, 1)
        law = mdp.P[i][tuple(s[j] for j in hood)][a_i]
        draws = [mechanism(s, i, a_i, hood, rng) for _ in range(DRAWS)]
        counts = np.bincount(draws, minlength=len(law))
        if counts[law == 0].any():
            return 0.0
        expected = DRAWS * law[law > 0]
        statistic += float(((counts[law > 0] - expected) ** 2 / expected).sum())
        freedom += len(expected) - 1
    return scipy.stats.chi2.sf(statistic, freedom)


@pytest.mark.parametrize("name", MECHANISMS)
def test_transitions_have_the_frequencies_of_the_mechanism(name):
    mdp, mechanism = MECHANISMS[name]
    assert goodness_of_fit(mdp, mechanism, seed=0) > ERROR_RATE


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("sis", sis(GRID, gamma=0.9, epsilon=0.08)),
        ("social", social(GRID, gamma=0.9, coupling=0.35)),
        ("sysadmin", sysadmin(GRID, gamma=0.9, support=0.45)),
        ("thermal", thermal(GRID, gamma=0.9, exchange=0.12)),
        ("queueing", queueing(nx.cycle_graph(4), gamma=0.9, **(QUEUE | {"arrival": 0.33}))),
    ],
)
def test_the_goodness_of_fit_refuses_slightly_wrong_parameters(name, wrong):
    assert goodness_of_fit(wrong, MECHANISMS[name][1], seed=0) < ERROR_RATE


@pytest.mark.parametrize("name", MECHANISMS)
def test_rewards_lie_between_zero_and_r_bar_and_reach_zero(name):
    mdp, _ = MECHANISMS[name]
    assert all(r_i.min() >= 0.0 for r_i in mdp.r)
    assert min(r_i.min() for r_i in mdp.r) == 0.0


PAIR = {"family": "path", "n": 2}


@pytest.mark.parametrize(
    ("model", "parameters", "message"),
    [
        ("sis", {"cost": -0.1}, "sis: cost must be finite and at least 0, got -0.1"),
        ("sis", {"epsilon": 1.2}, r"sis: epsilon must hold probabilities in \[0, 1\], got 1.2"),
        ("social", {"inertia": -0.1}, r"social: inertia must hold probabilities in \[0, 1\], got -0.1"),
        ("social", {"coupling": math.inf}, "social: coupling must be finite, got inf"),
        ("social", {"value": math.nan}, "social: value must be finite and at least 0"),
        ("social", {"color": "red"}, "social: color is no parameter; known are graph, gamma, coupling"),
        ("sysadmin", {"keep": 0.7}, "sysadmin: keep \\+ support must be at most 1, got 0.7 \\+ 0.5"),
        ("sysadmin", {"revival": 2.0}, "sysadmin: revival must hold"),
        ("thermal", {"levels": 0}, "thermal: levels must be at least 1, got 0"),
        ("thermal", {"step": 0.0}, "thermal: step must be finite and above 0, got 0.0"),
        ("thermal", {"exchange": 0.95}, "thermal: leak .* got 0.1 \\+ 1·0.95 at agent 0"),
        ("queueing", {"exits": [2]}, r"queueing: exits must be distinct agents out of 0\.\.1, got \(2,\)"),
        ("queueing", {"exits": [0, 0]}, "queueing: exits must be distinct"),
        ("queueing", {"capacity": 0}, "queueing: capacity must be at least 1, got 0"),
        ("queueing", {"arrival": [0.1]}, "queueing: arrival must hold one probability for each of the 2 agents, got 1"),
        ("queueing", {"arrival": 1.5}, "queueing: arrival must hold probabilities"),
        (
            "queueing",
            {"graph": {"family": "path", "n": 1}, "exits": []},
            "queueing: agent 0 has no outgoing link",
        ),
    ],
)
def test_refusals(model, parameters, message):
    with pytest.raises(ValueError, match=message):
        build({"model": model, "graph": PAIR, "gamma": 0.9, **parameters})


def test_every_environment_is_a_model():
    assert set(MECHANISMS) <= set(MODELS)


def test_environment_rows_bound_what_they_measure():
    """Exact rows hold D_i(κ) below the certificate and that below Lemma 3; certified rows are the same bounds."""
    mdp = social(GRID, gamma=0.9)
    case = exact_case("social_grid", "uniform", mdp, uniform_theta(mdp))
    exact, certified = list(exact_rows(case, "social")), list(certified_rows(mdp, "social_grid", "social"))
    assert [row.kappa for row in exact] == [0, 1, 2]
    for row, alone in zip(exact, certified, strict=True):
        assert 0.0 < row.D <= row.influence <= row.lemma3 * (1 + 1e-12)
        assert row.influence_median <= row.influence
        assert math.isnan(alone.D)
        assert (alone.influence, alone.lemma3) == (row.influence, row.lemma3)
    # Definition 2 leaves agent i with nobody outside from its own eccentricity on: 2 for the middle column.
    assert [row.agents for row in exact] == [6, 6, 4]


def test_the_certificates_of_a_large_network_are_sampled():
    mdp = counted_sis(nx.star_graph(1000), gamma=0.5, beta=(0.001, 0.001))
    rows = list(certified_rows(mdp, "star", "sis"))
    assert [row.kappa for row in rows] == [0, 1]
    assert rows[0].agents == 101
    assert rows[1].agents == 100  # nobody is outside N_0^1 of the hub


def test_the_verb_writes_rows_that_the_figure_draws(tmp_path):
    exact = str(tmp_path / "sysadmin.npz")
    small = {"model": "sysadmin", "graph": {"family": "ring", "n": 4}, "gamma": 0.9}
    large = {"sis_hub": {"model": "sis", "graph": {"family": "star", "n": 60}, "gamma": 0.5}}
    options = ["--policies", "2", "--seed", "0", "--scale", "1"]
    cli.main(["exact", "--instance", "small", "--spec", json.dumps(small), *options, "--output", exact])
    rows = str(tmp_path / "environments.csv")
    cli.main(["environments", exact, "--certified", json.dumps(large), "--output", rows])
    read = read_rows(rows, EnvironmentRow)
    assert {row.instance for row in read} == {"small", "sis_hub"}
    cli.main(["figure", "environments", rows, "--output", str(tmp_path / "environments.svg")])
    assert (tmp_path / "environments.svg").read_text().startswith("<?xml")


def promotion_step(gradient):
    """The components that raise the promotion of agent 0 as a rejecter and as an adopter."""
    return gradient[0][:, 1]


def test_promotion_is_a_public_good():
    """Neighbors gain more from a promotion than its agent: κ = 0 sees a loss where ∇J and κ = 1 see a gain."""
    mdp = social(nx.cycle_graph(6), gamma=0.9, coupling=0.5, bias=-0.4, promotion=0.8)
    theta = uniform_theta(mdp)
    exact = promotion_step(policy_gradient(mdp, theta))
    assert (exact > 0.06).all()
    h_hat = []
    for kappa in range(3):
        Q_hat = [
            truncate(
                q_function(mdp, theta, i),
                neighborhood(mdp.graph, i, kappa),
                natural_weights(mdp, theta, i, kappa),
            )
            for i in range(mdp.n)
        ]
        h_hat.append(promotion_step(truncated_policy_gradient(mdp, theta, Q_hat, kappa)))
    assert (h_hat[0] < 0.0).all()
    assert (h_hat[1] > exact / 2).all()
    assert (h_hat[2] > h_hat[1]).all()


def test_necessary_a_long_inner_loop():
    """500 steps from Q̂ = 0 teach the cost of promotion but not its return: the mean of ĝ at κ = 1 has the wrong sign.

    Only 13 % of the updates are first visits, and the TD fixed point that the critic approaches points along ∇J: it is
    condition (8), a large T, that is missing.
    """
    mdp = social(nx.cycle_graph(6), gamma=0.9, coupling=0.5, bias=-0.4, promotion=0.8)
    theta = uniform_theta(mdp)
    fixed_point = [td_fixed_point(mdp, theta, i, 1) for i in range(mdp.n)]
    assert (promotion_step(truncated_policy_gradient(mdp, theta, fixed_point, 1)) > 0.04).all()
    runs = sac_seeds(mdp, theta, kappa=1, M=1, T=500, h=20.0, t0=50.0, eta=1.0, seeds=range(400), record_every=1)
    steps = np.array([np.mean([theta_i[:, 1].sum() for theta_i in run.theta]) for run in runs])
    assert steps.mean() < -5.0 * steps.std() / math.sqrt(len(steps))
    assert np.mean([run.first_visit_share for run in runs]) < 0.2
