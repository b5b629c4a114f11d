"""The learner on wireless access: Algorithm 1 against its transcription, the published variant against its own."""

import numpy as np
import pytest

from learn.plain_extensions import g_hat_error
from learn.plain_published import published
from sacrepro.instances.wireless import layout
from sacrepro.learn import reinforce, sac, sac_seeds
from sacrepro.learn.published import ETA, RESTART, sac_published
from sacrepro.learn.transcription import sac_transcribed
from sacrepro.simulate import WirelessSimulator


def network(slots=True):
    """Six users in two rows of three cells, two access points."""
    access, points = layout(2, 3)
    return WirelessSimulator(access, (0.9, 0.6)[:points], (0.5,) * 6, deadline=2, gamma=0.7, slots=slots)


def zeros(simulator):
    return [np.zeros((4, A_i)) for A_i in simulator.action_sizes]


@pytest.mark.parametrize("kappa", [0, 1, 2])
def test_algorithm_1_agrees_with_its_transcription(kappa):
    simulator = network()
    settings = {"kappa": kappa, "M": 6, "T": 12, "h": 2.0, "t0": 3.0, "eta": 2.0, "seed": 4}
    trace = sac(simulator, zeros(simulator), record_every=1, **settings)
    for m, iteration in enumerate(sac_transcribed(simulator, zeros(simulator), **settings)):
        assert trace.first_visit_share[m] == pytest.approx(iteration.first_visit_share, abs=1e-12)
        assert trace.J_estimate[m] == pytest.approx(iteration.J_estimate, abs=1e-12)
        for i, theta_i in enumerate(iteration.theta_next):
            error = g_hat_error(iteration.magnitude[i], 6, 12, simulator.action_sizes[i])
            assert np.abs(trace.thetas[i][m + 1] - theta_i).max() <= 100 * (m + 1) * max(error, 1e-15)


def test_seeds_together_are_seeds_alone():
    simulator = network()
    settings = {"kappa": 1, "M": 5, "T": 10, "h": 1.0, "t0": 1.0, "eta": 3.0}
    together = sac_seeds(simulator, zeros(simulator), seeds=(3, 9), **settings)
    for seed, trace in zip((3, 9), together, strict=True):
        alone = sac(simulator, zeros(simulator), seed=seed, **settings)
        assert all((one == other).all() for one, other in zip(trace.theta, alone.theta, strict=True))
    assert any((one != other).any() for one, other in zip(together[0].theta, together[1].theta, strict=True))


def test_rivals_and_extensions_run_on_it():
    simulator = network()
    trace = reinforce(simulator, zeros(simulator), kappa=1, M=3, T=10, eta=1.0, seed=0)
    assert np.isfinite(trace.theta[0]).all()
    trace = sac(
        simulator, zeros(simulator), kappa=0, M=3, T=10, h=1.0, t0=1.0, eta=1.0, seed=0, baseline=True, warm_start=True
    )
    assert np.isfinite(trace.theta[0]).all()


@pytest.mark.parametrize("kappa", [0, 1])
def test_the_published_variant_agrees_with_its_transcription(kappa):
    """Past a restart of the steps, and past a growth of the table."""
    simulator = network()
    M = RESTART + 5
    trace = sac_published(simulator, zeros(simulator), kappa=kappa, M=M, T=10, seed=2, record_every=M)
    theta, share = published(simulator, zeros(simulator), kappa=kappa, M=M, T=10, seed=2, restart=RESTART, eta=ETA)
    assert trace.first_visit_share.tolist() == pytest.approx(share, abs=1e-12)
    for one, other in zip(trace.theta, theta, strict=True):
        assert np.abs(one - other).max() <= 1e-9


def test_the_published_variant_is_a_function_of_its_seed():
    simulator = network()
    runs = [
        sac_published(simulator, zeros(simulator), kappa=1, M=20, T=10, seed=seed, record_every=7).theta
        for seed in (0, 0, 1)
    ]
    assert all((one == other).all() for one, other in zip(runs[0], runs[1], strict=True))
    assert any((one != other).any() for one, other in zip(runs[0], runs[2], strict=True))
    with pytest.raises(ValueError, match="kappa must be at least 0"):
        sac_published(simulator, zeros(simulator), kappa=-1, M=2, T=10, seed=0, record_every=1)


def test_a_grown_table_keeps_its_entries():
    from sacrepro.learn.published import Digests, _move, place

    rng = np.random.default_rng(0)
    keys = rng.integers(1, 1 << 63, size=40, dtype=np.uint64)
    small = Digests(np.zeros(64, np.uint64), np.zeros(64), np.zeros(1, np.int64))
    for k, key in enumerate(keys):
        at = place(small, key)
        small.key[at], small.value[at] = key, float(k)
    small.taken[0] = len(keys)
    large = Digests(np.zeros(128, np.uint64), np.zeros(128), np.zeros(1, np.int64))
    _move(small, large)
    assert large.taken[0] == len(keys)
    assert [large.value[place(large, key)] for key in keys] == list(range(len(keys)))
    assert large.key[place(large, np.uint64(12345))] == 0
