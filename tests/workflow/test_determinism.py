"""Same configuration, same machine: the same bytes, whatever the number of cores."""

import numpy as np
import pytest
from runs import ROOT, SMOKE, contents, run, same, workspace

pytestmark = pytest.mark.slow

#: Figures of the paper configuration that take seconds, not minutes.
REDRAWN = ("definition2", "theorem5", "vacuity", "td_fixed_point")


def test_one_core_and_eight_cores_twice_give_the_same_bytes(tmp_path):
    trees = []
    for place, cores in enumerate((1, 8, 8, 1)):
        folder = workspace(tmp_path / f"run{place}")
        done = run(folder, config=SMOKE, cores=cores)
        assert done.returncode == 0, done.stdout[-3000:]
        trees.append(contents(folder))
    assert len(trees[0]) > 40
    for tree in trees[1:]:
        assert same(trees[0], tree)


def test_a_second_run_and_a_touched_comment_rerun_nothing(finished):
    done = run(finished)
    assert "Nothing to be done" in done.stdout


def test_committed_figures_are_redrawn_within_a_tolerance(tmp_path):
    """Pixels, not bytes: the last digits of a result may differ between machines, what a reader sees may not."""
    from matplotlib.image import imread

    folder = workspace(tmp_path / "run")
    config = ROOT / "workflow/config/paper.yaml"
    done = run(folder, *(f"figures/{name}.png" for name in REDRAWN), config=config)
    assert done.returncode == 0, done.stdout[-3000:]
    for name in REDRAWN:
        committed, drawn = (imread(place / f"figures/{name}.png") for place in (ROOT, folder))
        assert committed.shape == drawn.shape, f"{name}: {committed.shape} and {drawn.shape}"
        differ = np.abs(committed - drawn).max(axis=-1) > 0.1
        assert differ.mean() < 0.002, f"{name}: {differ.mean():.2%} of its pixels differ"
