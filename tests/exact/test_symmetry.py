"""Agents that an automorphism exchanges: found and verified on P, r and ζ, never assumed of a graph."""

from functools import partial

import networkx as nx
import numpy as np
import pytest

from sacrepro import NetworkedMDP, build, certified_decay, decay_profile, evaluate, expected_critic, law_cost
from sacrepro.exact import dense, symmetry
from sacrepro.exact.chain import chain_of
from sacrepro.exact.symmetry import images, renamed
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.mdp import as_coupled
from sacrepro.model.policy import gaussian_theta, policies, uniform_theta


def alike(graph, places, seed=0):
    """Agents with one kernel K(s_u, s_v, …, a, s') over the neighbors in the order of places(i), and one reward."""
    rng = np.random.default_rng(seed)
    count = len(places(0))
    K, r_i = rng.dirichlet(np.ones(2), size=(2,) * (count + 1)), rng.random((2, 2))
    P = []
    for i in range(len(graph)):
        order = places(i)
        assert sorted(order) == sorted({i, *graph[i]})
        P.append(K.transpose([*np.argsort(order), count, count + 1]))
    return NetworkedMDP(graph, tuple(P), (r_i,) * len(graph), 0.8, (np.full(2, 0.5),) * len(graph))


def ring(n):
    return alike(nx.cycle_graph(n), lambda i: ((i - 1) % n, i, (i + 1) % n))


def torus():
    graph = nx.convert_node_labels_to_integers(nx.grid_2d_graph(3, 3, periodic=True), ordering="sorted")

    def places(i):
        x, y = divmod(i, 3)
        moves = ((0, 0), (1, 0), (2, 0), (0, 1), (0, 2))
        return tuple((x + dx) % 3 * 3 + (y + dy) % 3 for dx, dy in moves)

    return alike(graph, places)


#: A model and how many agents are left to solve. On the ring each sees left and right differently: turns, no mirrors.
SYMMETRIC = {
    "ring": (ring(6), 1),
    "torus": (torus(), 1),
    "complete": (build({"model": "sis", "graph": {"family": "complete", "n": 6}, "gamma": 0.8}), 1),
    "path": (build({"model": "sis", "graph": {"family": "path", "n": 5}, "gamma": 0.8}), 3),
    "star": (build({"model": "sis", "graph": {"family": "star", "n": 6}, "gamma": 0.8}), 2),
    "two rings": (alike(nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3)), lambda i: (
        i // 3 * 3 + (i + 2) % 3, i, i // 3 * 3 + (i + 1) % 3)), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", SYMMETRIC)
def test_one_of_each_kind_is_solved_and_the_rest_are_its_tables(name, by_products):
    mdp, left = SYMMETRIC[name]
    model = mdp.expanded() if hasattr(mdp, "expanded") else mdp
    theta = (np.array([[0.3, -0.2], [0.1, 1.0]]),) * mdp.n
    chain = chain_of(mdp, theta)
    assert len({source for source, _ in chain.images}) == left
    truth = dense.values(model, policies(model, theta))
    for i, (source, phi) in enumerate(chain.images):
        assert phi[source] == i
        assert np.abs(renamed(truth[source], phi) - truth[i]).max() <= 1e-12
    found = evaluate(mdp, theta)
    assert np.abs(found.V - truth).max() <= found.error + 1e-12


@pytest.mark.parametrize("name", SYMMETRIC)
def test_decay_of_the_image_is_that_of_its_source(name):
    mdp, _ = SYMMETRIC[name]
    if mdp.n > 6:
        pytest.skip("the definition would take a minute")
    model = mdp.expanded() if hasattr(mdp, "expanded") else mdp
    theta = (np.array([[0.3, -0.2], [0.1, 1.0]]),) * mdp.n
    expected = dense.decay_profile(model, theta)
    assert np.abs(decay_profile(mdp, theta) - expected).max() <= 1e-11
    agents = [mdp.n - 1, 0, 1]
    lower, upper = certified_decay(mdp, theta, agents)
    assert (lower <= expected[agents] + 1e-12).all()
    assert (expected[agents] <= upper + 1e-12).all()


def test_what_differs_in_one_entry_is_not_taken_for_alike():
    """One agent's kernel, reward or policy moved by one unit in the last place: what it breaks is not used."""
    mdp, theta = ring(5), [np.zeros((2, 2))] * 5

    def sources(model, blocks):
        return [source for source, _ in images(model, policies(model, blocks))]

    assert sources(mdp, theta) == [0] * 5
    moved = [*theta]
    moved[2] = np.array([[0.0, 1e-15], [0.0, 0.0]])
    assert sources(mdp, moved) == [0, 1, 2, 3, 4]
    r = [*mdp.r]
    r[2] = np.nextafter(r[2], 2.0)
    assert sources(NetworkedMDP(mdp.graph, mdp.P, tuple(r), 0.8, mdp.pi0), theta) == [0, 1, 2, 3, 4]
    P = [*mdp.P]
    P[2] = P[2][::-1]
    assert sources(NetworkedMDP(mdp.graph, tuple(P), mdp.r, 0.8, mdp.pi0), theta) == [0, 1, 2, 3, 4]
    other = random_mdp(nx.cycle_graph(5), seed=0)
    assert sources(other, uniform_theta(other)) == [0, 1, 2, 3, 4]


def test_agents_in_an_asymmetric_place_are_not_images_of_each_other():
    """Seven agents of one kernel table each on the least graph without a symmetry: equal tables are not enough."""
    graph = nx.Graph([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (2, 6), (1, 6)])
    r_i = np.array([[0.0, 0.0], [1.0, 1.0]])
    kernels = tuple(np.full((2,) * (graph.degree(i) + 2) + (2,), 0.5) for i in range(7))
    mdp = NetworkedMDP(graph, kernels, (r_i,) * 7, 0.8, (np.full(2, 0.5),) * 7)
    found = images(mdp, policies(mdp, uniform_theta(mdp)))
    for i, (source, phi) in enumerate(found):
        assert phi[source] == i
        assert all(graph.has_edge(phi[u], phi[v]) for u, v in graph.edges)
    assert len({source for source, _ in found}) == 7


def test_edges_that_close_a_circle_are_compared_too(monkeypatch):
    """A prism beside K_{3,3}: three neighbors everywhere, one kernel table, and no map from one to the other."""
    graph = nx.disjoint_union(nx.circular_ladder_graph(3), nx.complete_bipartite_graph(3, 3))
    kernel, r_i = np.full((2,) * 4 + (2, 2), 0.5), np.array([[0.0, 0.0], [1.0, 1.0]])
    mdp = NetworkedMDP(graph, (kernel,) * 12, (r_i,) * 12, 0.8, (np.full(2, 0.5),) * 12)
    zeta = policies(mdp, uniform_theta(mdp))
    found = images(mdp, zeta)
    assert [source for source, _ in found] == [0] * 6 + [6] * 6
    for i, (source, phi) in enumerate(found):
        assert phi[source] == i
        assert all(graph.has_edge(phi[u], phi[v]) for u, v in graph.edges)
    # A search that may try nobody finds nothing.
    monkeypatch.setattr(symmetry, "MOST_TRIED", 0)
    assert images(mdp, zeta) == [(i, tuple(range(12))) for i in range(12)]


def test_a_search_that_runs_out_of_tries_finds_nothing(monkeypatch):
    """On a ring of four 0 → 1 takes six tries: with 1 → 0 neither place of 3 fits, with 1 → 2 the rest follows."""
    mdp = ring(4)
    zeta = policies(mdp, uniform_theta(mdp))
    for tries, source in ((6, 0), (5, 1)):
        monkeypatch.setattr(symmetry, "MOST_TRIED", tries / 4)
        assert images(mdp, zeta)[1][0] == source


def test_agents_are_placed_outwards_and_components_one_after_the_other():
    hoods = [(0, 2, 3), (1, 2), (0, 1, 2), (0, 3, 4), (3, 4), (5, 6), (5, 6), (7,)]
    assert symmetry._outwards(hoods, 0) == [0, 2, 3, 1, 4, 5, 6, 7]
    assert symmetry._outwards(hoods, 6) == [6, 5, 0, 2, 3, 1, 4, 7]
    alone = alike(nx.empty_graph(3), lambda i: (i,))
    assert [source for source, _ in images(alone, policies(alone, uniform_theta(alone)))] == [0, 0, 0]


def test_symmetry_saves_the_work_and_changes_nothing(monkeypatch):
    mdp = ring(9)
    theta = uniform_theta(mdp)
    found = evaluate(mdp, theta)
    everybody = [(i, tuple(range(9))) for i in range(9)]
    monkeypatch.setattr("sacrepro.exact.chain.images", lambda model, zeta: everybody)
    alone = evaluate(mdp, theta)
    assert np.abs(found.V - alone.V).max() <= found.error + alone.error
    assert abs(found.J - alone.J) <= found.J_error + alone.J_error
    mixed = gaussian_theta(mdp, np.random.default_rng(0))
    monkeypatch.undo()
    assert chain_of(mdp, mixed).images == everybody


def test_some_agents_are_the_same_tables_in_the_order_asked_for():
    """On a path of nine alike 8 is an image of 0 and 4 of nobody: as many are solved as asked for, but not the same."""
    mdp = build({"model": "sis", "graph": {"family": "path", "n": 9}, "gamma": 0.8})
    theta = uniform_theta(mdp)
    everybody = evaluate(mdp, theta)
    for agents in ((8, 4), (4, 0), (1,), np.array([7, 2, 1])):
        found = evaluate(mdp, theta, agents=agents)
        assert np.abs(found.V - everybody.V[list(agents)]).max() <= found.error + everybody.error
        J = np.mean([evaluate(mdp, theta, agents=[i]).J for i in agents])
        assert abs(found.J - J) <= 2.1 * found.J_error


def test_one_agent_of_a_ring_stands_for_all():
    """J is the mean over all agents where these are alike; of pairs of states and actions as well."""
    for mdp in (ring(9), as_coupled(ring(4))):
        theta = uniform_theta(mdp)
        one, all_of_them = evaluate(mdp, theta, agents=(2,)), evaluate(mdp, theta)
        assert one.V.shape == (1, *mdp.state_sizes)
        assert np.abs(one.V[0] - all_of_them.V[2]).max() <= one.error + all_of_them.error
        assert abs(one.J - all_of_them.J) <= one.J_error + all_of_them.J_error


@pytest.mark.parametrize(
    ("agents", "error", "message"),
    [
        ((), ValueError, r"agents must name at least one agent, each once, got \[\]"),
        ((1, 1), ValueError, r"each once, got \[1, 1\]"),
        ((9,), ValueError, r"agent 9 is not in the model, whose agents are 0\.\.8"),
        ((0.5,), TypeError, r"an agent is an integer, got 0\.5"),
        (0, TypeError, r"agents must be a sequence of integers such as \(0,\), got 0"),
        ("0", TypeError, r"got '0'"),
        (np.array(0), TypeError, r"agents must be a sequence of integers such as \(0,\), got array\(0\)"),
    ],
)
@pytest.mark.parametrize("asked", ["evaluate", "certified_decay", "expected_critic", "law_cost"])
def test_agents_that_are_none_are_refused(agents, error, message, asked):
    mdp = ring(9)
    theta, law = uniform_theta(mdp), {"kappa": 0, "T": 2}
    with pytest.raises(error, match=message):
        {
            "evaluate": partial(evaluate, mdp, theta),
            "certified_decay": partial(certified_decay, mdp, theta),
            "expected_critic": partial(expected_critic, mdp, theta, h=1.0, t0=1.0, **law),
            "law_cost": partial(law_cost, mdp, critic_only=True, **law),
        }[asked](agents=agents)
