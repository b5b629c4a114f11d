"""Same configuration, same machine: the same bytes, whatever the number of cores."""

import numpy as np
import pytest
from runs import ROOT, SMOKE, contents, run, same, workspace

pytestmark = pytest.mark.slow

#: Figures of the paper configuration that take seconds, not minutes.
REDRAWN = ("td_fixed_point", "definition2", "theorem5", "critic_sharp")


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


def blocks(picture, side=16):
    """Mean colours over squares, so that a shift by a pixel counts little."""
    height, width = (length // side * side for length in picture.shape[:2])
    squares = picture[:height, :width, :3].reshape(height // side, side, width // side, side, 3)
    return squares.mean(axis=(1, 3))


def alike(one, other):
    """Whether a reader sees the same: few squares differ by a tenth of the scale, and hardly any on average."""
    if one.shape != other.shape:
        return False
    apart = np.abs(blocks(one) - blocks(other)).max(axis=-1)
    return (apart > 0.1).mean() < 0.03 and apart.mean() < 0.015


def test_committed_figures_are_redrawn_within_a_tolerance(tmp_path):
    """Pixels, not bytes: text metrics and last digits differ between machines, what a reader sees may not."""
    from matplotlib.image import imread

    from sacrepro import cli
    from sacrepro.claims.comparison import Comparison
    from sacrepro.store import read_rows, write_rows

    folder = workspace(tmp_path / "run")
    config = ROOT / "workflow/config/paper.yaml"
    done = run(folder, *(f"figures/{name}.png" for name in REDRAWN), config=config)
    assert done.returncode == 0, done.stdout[-3000:]
    for name in REDRAWN:
        assert alike(imread(ROOT / f"figures/{name}.png"), imread(folder / f"figures/{name}.png")), name
    # The tolerance is not blind: half the rows, or every left side ten times as large, is another picture.
    rows = read_rows(folder / f"results/claims/{REDRAWN[0]}.csv", Comparison)
    for place, altered in enumerate((rows[::2], [row._replace(left=0.1 * row.left) for row in rows])):
        write_rows(tmp_path / f"{place}.csv", Comparison, altered)
        cli.main(["figure", REDRAWN[0], str(tmp_path / f"{place}.csv"), "--output", str(tmp_path / f"{place}.png")])
        assert not alike(imread(ROOT / f"figures/{REDRAWN[0]}.png"), imread(tmp_path / f"{place}.png"))
