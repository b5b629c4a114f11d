"""Kernels of four kinds behind one interface: rows, strides, tables and arguments of each against the table."""

import itertools

import networkx as nx
import numpy as np
import pytest

from sacrepro.bounds.influence import largest_distance
from sacrepro.exact.dense import averaged_kernels
from sacrepro.instances import COUNTED
from sacrepro.instances.random_kernels import random_coupled, random_mdp
from sacrepro.model.kernels import CountKernel, PairKernel, SumKernel, TableKernel, alike, composition_count
from sacrepro.model.mdp import CountedMDP
from sacrepro.model.policy import policies, uniform_theta

PATH = nx.path_graph(3)


def laws(*shape):
    draws = np.random.default_rng(len(shape)).random(shape)
    return draws / draws.sum(axis=-1, keepdims=True)


def counts(S_i, A_i, degree, beside, own, coupled=True):
    """A kernel by counts; `own` is the place of i among its neighbors."""
    K = composition_count(degree, beside) if coupled else 1
    sizes = (*(beside,) * own, S_i, *(beside,) * (degree - own))
    actions = tuple(A_i if k == own else 1 for k in range(degree + 1))
    return CountKernel(laws(S_i * A_i * K, S_i), sizes, actions, own)


def kernels():
    """Every kind, its agent in every place, sizes that differ."""
    yield from random_mdp(PATH, seed=0, gamma=0.5, state_sizes=(2, 3, 4), action_sizes=(3, 2, 1)).kernels
    for own, sizes in enumerate([(3, 2, 4), (2, 3, 4), (2, 4, 3)]):
        actions = tuple(2 if k == own else 1 for k in range(3))
        yield SumKernel(laws(3 * 5 * 2, 3), sizes, actions, own)
    for own in range(3):
        yield from (counts(2, 3, 2, beside, own) for beside in (2, 3))
    yield counts(3, 2, 2, 3, 1, coupled=False)
    yield counts(3, 2, 0, 1, 0)
    model = {"state_sizes": (2, 3, 2), "action_sizes": (2, 1, 3)}
    yield from random_coupled(PATH, seed=0, gamma=0.5, radius=1, **model).kernels


KERNELS = list(kernels())


def over_everything(kernel):
    """The table with one axis for each state and each action of N_i, whoever's actions the kernel sees."""
    table = kernel.table()
    if isinstance(kernel, PairKernel):
        return table
    m = len(kernel.sizes)
    alone = [kernel.A if k == kernel.own else 1 for k in range(m)]
    return np.broadcast_to(table.reshape(*kernel.sizes, *alone, kernel.S), (*kernel.sizes, *kernel.actions, kernel.S))


def sights(kernel):
    """(s_{N_i}, a_{N_i}), every one."""
    m = len(kernel.sizes)
    for place in np.ndindex(*kernel.sizes, *kernel.actions):
        yield place[:m], place[m:]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: type(kernel).__name__)
def test_rows_are_those_of_the_table(kernel):
    table = over_everything(kernel)
    for s, a in sights(kernel):
        at = int(kernel.row([np.array(x) for x in s], [np.array(x) for x in a]))
        assert (kernel.rows[at] == table[(*s, *a)]).all()
    s, a = np.indices((*kernel.sizes, *kernel.actions), sparse=True)[: len(kernel.sizes)], None
    a = np.indices((*kernel.sizes, *kernel.actions), sparse=True)[len(kernel.sizes) :]
    assert (kernel.rows[np.broadcast_to(kernel.row(s, a), table.shape[:-1])] == table).all()


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: type(kernel).__name__)
def test_strides_are_those_of_the_rows(kernel):
    strides = kernel.strides()
    assert (strides is None) == (isinstance(kernel, CountKernel) and kernel.coupled and kernel.beside > 2)
    for s, a in sights(kernel) if strides else ():
        linear = np.dot(strides[0], s) + np.dot(strides[1], a)
        assert linear == kernel.row([np.array(x) for x in s], [np.array(x) for x in a])


def moved_by(kernel, k):
    """The largest total variation over argument k, by a loop over pairs of rows of the table."""
    table, largest = over_everything(kernel), 0.0
    free = (k,) if not isinstance(kernel, PairKernel) and k != kernel.own else (k, len(kernel.sizes) + k)
    if free == (k,):
        table = np.take(table, [0], axis=len(kernel.sizes) + k)
    for one, other in itertools.product(np.ndindex(*table.shape[:-1]), repeat=2):
        if all(x == y for axis, (x, y) in enumerate(zip(one, other, strict=True)) if axis not in free):
            largest = max(largest, 0.5 * np.abs(table[one] - table[other]).sum())
    return largest


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: type(kernel).__name__)
def test_arguments_move_the_law_as_the_table_says(kernel):
    found = {}
    for k, name in enumerate(kernel.arguments()):
        rows = kernel.varied(k)
        assert rows.shape[-1] == kernel.S
        largest = float(largest_distance(rows[None])[0])
        assert largest == pytest.approx(moved_by(kernel, k), abs=1e-15)
        assert found.setdefault(name, largest) == largest


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: type(kernel).__name__)
def test_agents_that_are_alike_are_stacked(kernel):
    """A leading axis goes through every method that takes rows."""
    other = laws(*kernel.rows.shape[::-1]).T.copy()
    other /= other.sum(axis=-1, keepdims=True)
    apart = [type(kernel)(rows, kernel.sizes, kernel.actions, kernel.own) for rows in (kernel.rows, other)]
    both = type(kernel)(np.stack([kernel.rows, other]), kernel.sizes, kernel.actions, kernel.own)
    for method in (lambda kernel: kernel.table(), lambda kernel: kernel.averaged().rows):
        assert (method(both) == np.stack([method(one) for one in apart])).all()
    for k in range(len(kernel.sizes)):
        assert (both.varied(k) == np.stack([one.varied(k) for one in apart])).all()


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: type(kernel).__name__)
def test_averaged_kernels_are_those_of_the_uniform_policy(kernel):
    m = len(kernel.sizes)
    table = over_everything(kernel).mean(axis=tuple(range(m, 2 * m)), keepdims=True)
    assert over_everything(kernel.averaged()) == pytest.approx(table, abs=1e-15)


def test_the_uniform_policys_kernels_are_those_of_the_engine():
    mdp = random_mdp(PATH, seed=1, gamma=0.5)
    for kernel, P_bar_i in zip(mdp.kernels, averaged_kernels(mdp, policies(mdp, uniform_theta(mdp))), strict=True):
        assert kernel.averaged().table()[..., 0, :] == pytest.approx(P_bar_i, abs=1e-15)


def test_every_agent_is_in_one_group_with_its_own_rows_and_neighbors():
    """Neighbors of a kernel by sums may change places: the sizes in `hoods` are those of the group's kernel."""
    rng = np.random.default_rng(0)
    graph, sizes = nx.star_graph(4), (2, 3, 2, 4, 2)
    P = []
    for i in range(5):
        K = sum(sizes[j] - 1 for j in graph[i])
        draws = rng.random((sizes[i], K + 1, 2, sizes[i]))
        P.append(draws / draws.sum(axis=-1, keepdims=True))
    r = tuple(np.zeros((S_i, 2)) for S_i in sizes)
    mixed = CountedMDP(graph, tuple(P), r, 0.5, tuple(np.full(S_i, 1 / S_i) for S_i in sizes))
    plain = random_mdp(nx.cycle_graph(5), seed=0, gamma=0.5)
    ring = COUNTED["sis"](nx.cycle_graph(7), gamma=0.5)
    for mdp, least in ((mixed, 4), (plain, 3), (ring, 1)):
        groups = mdp.alike()
        assert sorted(i for group in groups for i in group.agents) == list(range(mdp.n))
        assert len(groups) == least
        for kernel, rows, agents, which, hoods in groups:
            for i, place, hood in zip(agents, which, hoods, strict=True):
                assert sorted(hood) == sorted(mdp.neighbors[i])
                assert hood[kernel.own] == i
                assert tuple(mdp.state_sizes[j] for j in hood) == kernel.sizes
                assert (rows[place] == mdp.kernels[i].rows).all()


def test_agents_of_one_table_share_a_kernel_and_are_compared_once():
    ring = COUNTED["sis"](nx.cycle_graph(50), gamma=0.5)
    assert len({id(kernel) for kernel in ring.kernels}) == 3
    (group,) = ring.alike()
    assert len(group.rows) == 1


def test_one_kernel_alone_is_a_group():
    kernel = TableKernel(laws(2, 2), (2,), (1,), 0)
    (group,) = alike([kernel], [(7,)], [7])
    assert (group.agents.tolist(), group.which.tolist(), group.hoods.tolist()) == ([7], [0], [[7]])
