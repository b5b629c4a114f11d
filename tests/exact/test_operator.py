"""The factored operator: the joint matrix's products, its adjoint, and their laws."""

import gc
import math
import weakref

import hypothesis.strategies as st
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

from sacrepro.exact import dense, evaluate
from sacrepro.exact.chain import chain_of
from sacrepro.exact.product.elimination import elimination_order, order_cost
from sacrepro.exact.product.operator import FactoredOperator
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.graph import neighborhood
from sacrepro.model.policy import gaussian_theta, uniform_theta
from strategies import cases

#: Roundings of a product are counted by the operator; the tables below have entries of size 1.
UNIT = 2.0**-53


def tables(chain, number, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, size=(number, *chain.sizes))


def slack(operator):
    return 4 * UNIT * (operator.roundings + operator.adjoint_roundings + 40)


@given(cases(max_n=5), st.sampled_from([1, 2, 6]))
@settings(max_examples=60)
def test_product_and_adjoint_are_those_of_the_joint_matrix(case, largest_group):
    mdp, theta = case
    chain = chain_of(mdp, theta)
    operator = FactoredOperator(chain.P_bar, mdp.neighbors, mdp.state_sizes, largest_group=largest_group)
    matrix = dense.transition_matrix(mdp, chain.zeta)
    V, pi = tables(chain, 2), np.abs(tables(chain, 2, seed=1))
    flat = V.reshape(2, -1)
    assert np.abs(operator(V).reshape(2, -1) - flat @ matrix.T).max() <= slack(operator) + 1e-15 * matrix.shape[0]
    mass = pi.reshape(2, -1).sum()
    assert np.abs(operator.transpose(pi).reshape(2, -1) - pi.reshape(2, -1) @ matrix).max() <= mass * slack(operator)


@given(cases(max_n=5), st.sampled_from([1, 2, 6]))
@settings(max_examples=60)
def test_a_product_in_single_precision_is_one_with_fewer_digits(case, largest_group):
    """Of P V itself, also where buffers served a product in double precision before, and the other way round."""
    mdp, theta = case
    chain = chain_of(mdp, theta)
    operator = FactoredOperator(chain.P_bar, mdp.neighbors, mdp.state_sizes, largest_group=largest_group)
    V = operator.to_memory(tables(chain, 2))
    exact = operator.forward(V).copy()
    single = operator.forward(V.astype(np.float32))
    assert single.dtype == np.float32
    # One rounding of V, one of each kernel, besides those of the product.
    assert np.abs(single - exact).max() <= 2.0**-24 * (operator.roundings + len(operator.steps) + 1) * (1 + 1e-5)
    assert np.array_equal(operator.forward(V), exact)


@given(cases(max_n=4))
@settings(max_examples=60)
def test_the_matrix_of_a_small_network(case):
    """P by local lists, solutions of both systems, and what is left to one agent of a product: all by the formula."""
    mdp, theta = case
    chain = chain_of(mdp, theta)
    matrix, P = chain.matrix, dense.transition_matrix(mdp, chain.zeta)
    assert np.abs(matrix.P - P).max() <= 40 * UNIT
    V, start = tables(chain, 2).reshape(2, -1), np.abs(tables(chain, 1, seed=1)).ravel()
    system = np.eye(len(P)) - mdp.gamma * P
    assert np.abs(matrix.values(V) @ system.T - V).max() <= 1e-12 / (1 - mdp.gamma)
    assert np.abs(matrix.law(start) @ system - start).sum() <= 1e-12 * start.sum() / (1 - mdp.gamma)
    for j, mean in enumerate(matrix.following_means(V[0])):
        states = np.array(list(np.ndindex(*mdp.state_sizes)))
        for x in range(mdp.state_sizes[j]):
            kernels = list(chain.P_bar)
            kernels[j] = np.zeros_like(kernels[j])
            kernels[j][..., x] = 1.0
            given_x = FactoredOperator(kernels, mdp.neighbors, mdp.state_sizes)(V[0].reshape(mdp.state_sizes))
            assert np.abs(mean[x] - given_x[tuple(states.T)]).max() <= slack(chain.operator)


def test_what_is_known_of_a_model_goes_with_it():
    """Lists are kept for each model, not models for their lists."""
    mdp = random_mdp(nx.path_graph(3), seed=0)
    evaluate(mdp, uniform_theta(mdp))
    gone = weakref.ref(mdp)
    del mdp
    gc.collect()
    assert gone() is None


@given(cases(max_n=5))
@settings(max_examples=40)
def test_adjointness_and_the_derivative_by_a_kernel(case):
    """⟨π, P V⟩ = ⟨π P, V⟩ = Σ P̄_j ∂⟨π, P V⟩/∂P̄_j for every agent j, because P is multilinear in the kernels."""
    mdp, theta = case
    chain = chain_of(mdp, theta)
    operator = chain.operator
    V, pi = tables(chain, 2)
    pi = np.abs(pi)
    inner = float((pi * operator(V)).sum())
    scale = float(pi.sum()) * slack(operator)
    assert abs(float((operator.transpose(pi) * V).sum()) - inner) <= scale
    through = operator.kernel_adjoint(operator.to_memory(V), operator.to_memory(pi))
    for j in range(mdp.n):
        assert through[j].shape == chain.P_bar[j].shape
        assert abs(float((through[j] * chain.P_bar[j]).sum()) - inner) <= 4 * scale


@given(cases(max_n=5))
@settings(max_examples=40)
def test_constants_stay_and_order_is_kept(case):
    """P1 = 1, and V ≤ W implies PV ≤ PW, so that γP contracts the sup norm by γ."""
    mdp, theta = case
    chain = chain_of(mdp, theta)
    ones = np.ones(mdp.state_sizes)
    assert np.abs(chain.operator(ones) - 1).max() <= slack(chain.operator)
    V = tables(chain, 1)[0]
    W = V + np.abs(tables(chain, 1, seed=2)[0])
    assert (chain.operator(W) - chain.operator(V)).min() >= -slack(chain.operator)
    assert np.abs(chain.operator(V)).max() <= np.abs(V).max() + slack(chain.operator)


@given(cases(max_n=4), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_every_order_gives_the_same_product(case, random):
    mdp, theta = case
    chain = chain_of(mdp, theta)
    order = list(range(mdp.n))
    random.shuffle(order)
    operator = FactoredOperator(chain.P_bar, mdp.neighbors, mdp.state_sizes, order=tuple(order))
    V = tables(chain, 1)[0]
    assert np.abs(operator(V) - chain.operator(V)).max() <= 2 * slack(chain.operator)


@given(cases(max_n=5))
@settings(max_examples=40)
def test_light_cone(case):
    """A table over B becomes one over N[B]; the restricted operator gives the product of the whole one."""
    mdp, theta = case
    chain = chain_of(mdp, theta)
    for i in range(mdp.n):
        cone = FactoredOperator(chain.P_bar, mdp.neighbors, mdp.state_sizes, (i,), chain.operator.order)
        assert set(cone.memory_out) == set(neighborhood(mdp.graph, i, 1))
        local = np.random.default_rng(i).uniform(size=(1, mdp.state_sizes[i]))
        shape = [mdp.state_sizes[j] if j == i else 1 for j in range(mdp.n)]
        everywhere = chain.operator(np.broadcast_to(local.reshape(shape), mdp.state_sizes))
        small = cone.forward(local).reshape([mdp.state_sizes[j] for j in cone.memory_out])
        where = {j: k for k, j in enumerate(cone.memory_out)}
        axes = [where[j] for j in range(mdp.n) if j in where]
        shape = [mdp.state_sizes[j] if j in where else 1 for j in range(mdp.n)]
        assert np.abs(everywhere - small.transpose(axes).reshape(shape)).max() <= slack(chain.operator)


GRAPHS = {
    "path": nx.path_graph(12),
    "cycle": nx.cycle_graph(10),
    "star": nx.star_graph(10),
    "grid": nx.convert_node_labels_to_integers(nx.grid_2d_graph(3, 4)),
    "regular": nx.random_regular_graph(3, 12, seed=0),
    "disconnected": nx.disjoint_union(nx.path_graph(5), nx.cycle_graph(5)),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_groups_and_forms_agree_on_larger_graphs(name):
    """All three forms of a step occur here; one agent at a time is the reference, held to the oracle above."""
    mdp = random_mdp(GRAPHS[name], seed=3)
    chain = chain_of(mdp, gaussian_theta(mdp, np.random.default_rng(3)))
    V = tables(chain, 2)
    assert np.abs(chain.operator(V) - chain.careful_operator(V)).max() <= slack(chain.operator)
    pi = np.abs(V)
    difference = chain.operator.transpose(pi) - chain.careful_operator.transpose(pi)
    assert np.abs(difference).max() <= pi.sum() * slack(chain.operator)


def test_all_forms_of_a_step_are_exercised():
    forms = set()
    for graph in GRAPHS.values():
        mdp = random_mdp(graph, seed=0)
        forms |= {step.form for step in chain_of(mdp, uniform_theta(mdp)).operator.steps}
    assert forms == {"right", "left", "pointwise"}


def test_a_path_never_grows_by_more_than_one_agent():
    hoods = tuple(neighborhood(nx.path_graph(16), i, 1) for i in range(16))
    assert elimination_order(hoods, (2,) * 16).peak == 2**17
    assert elimination_order(hoods, (2,) * 16) is elimination_order(hoods, (2,) * 16)


@pytest.mark.parametrize("name", GRAPHS)
def test_the_chosen_order_is_no_worse_than_random_ones(name):
    graph = GRAPHS[name]
    hoods, sizes = tuple(neighborhood(graph, i, 1) for i in graph), (2,) * len(graph)
    chosen = elimination_order(hoods, sizes)
    assert sorted(chosen.agents) == list(range(len(graph)))
    rng = np.random.default_rng(0)
    for _ in range(200):
        assert chosen.flops <= order_cost(tuple(rng.permutation(len(graph)).tolist()), hoods, sizes).flops


def test_subset_dynamic_programming_is_optimal_on_a_small_graph():
    import itertools

    graph = nx.random_regular_graph(3, 6, seed=1)
    hoods, sizes = tuple(neighborhood(graph, i, 1) for i in graph), (2, 3, 2, 3, 2, 2)

    def sum_of_sizes(order):
        rest, seen, total = set(range(6)), set(), 0
        for j in order:
            rest.discard(j)
            seen.update(hoods[j])
            total += math.prod(sizes[k] for k in rest) * math.prod(sizes[k] for k in seen)
        return total

    from sacrepro.exact.product.elimination import _by_subsets

    assert sum_of_sizes(_by_subsets(hoods, sizes)) == min(map(sum_of_sizes, itertools.permutations(range(6))))
