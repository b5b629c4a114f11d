"""Interquartile means by hand, and intervals that a fixed seed makes reproducible."""

from importlib import import_module
from typing import NamedTuple

import numpy as np
import pytest

from sacrepro.study.experiments import ENTRIES, KINDS, rows_of
from sacrepro.study.experiments.runs import DiagnosticRow, LearningRow
from sacrepro.study.experiments.summary import (
    SummaryRow,
    best_kappa_rows,
    iqm_interval,
    summary,
    summary_rows,
)


def test_the_interquartile_mean_drops_a_quarter_at_either_end():
    values = np.array(
        [[1000.0, 8.0], [1.0, 7.0], [2.0, 6.0], [3.0, 5.0], [4.0, 4.0], [5.0, 3.0], [6.0, 2.0], [-9.0, 1.0]]
    )
    middle, low, high = iqm_interval(values)
    assert middle.tolist() == [3.5, 4.5]
    assert (low < middle).all()
    assert (middle < high).all()
    again = iqm_interval(values)
    assert all(np.array_equal(a, b) for a, b in zip(again, (middle, low, high), strict=True))


def test_equal_seeds_and_single_seeds_have_no_interval():
    for values in (np.full((20, 2), 3.0), np.array([[3.0, 3.0]])):
        for part in iqm_interval(values):
            assert part.tolist() == [3.0, 3.0]


def test_intervals_cover():
    """Of 200 sets of 24 normal seeds, the 95 % interval misses the centre in less than 15 %, but in some."""
    draws = np.random.default_rng(0).standard_normal((24, 200))
    _, low, high = iqm_interval(draws)
    misses = int(((low > 0) | (high < 0)).sum())
    assert 0 < misses < 200 * 0.15


def test_every_curve_is_summarised_over_its_seeds():
    rows = [
        LearningRow("a", kappa, seed, m, float(10 * kappa + seed), 0.5)
        for kappa in (0, 1)
        for seed in range(5)
        for m in (1, 2)
    ]
    found = summary("learning", rows)
    assert [(row.series, row.x, row.quantity) for row in found[:4]] == [
        ("0", 1.0, "J_estimate"),
        ("0", 2.0, "J_estimate"),
        ("0", 1.0, "first_visit_share"),
        ("0", 2.0, "first_visit_share"),
    ]
    assert {row.iqm for row in found if row.quantity == "J_estimate"} == {2.0, 12.0}
    assert {row.seeds for row in found} == {5}


def test_rows_that_name_their_quantity():
    rows = [
        DiagnosticRow("a", 0, seed, 0, name, value) for seed in range(4) for name, value in (("J", 1.0), ("H", 2.0))
    ]
    assert [(row.quantity, row.iqm) for row in summary("diagnostics", rows)] == [("J", 1.0), ("H", 2.0)]


def test_a_missing_seed_is_named():
    rows = [LearningRow("a", 0, seed, m, 0.0, 0.0) for seed, m in ((0, 1), (1, 1), (0, 2))]
    with pytest.raises(ValueError, match=r"a, kappa 0: m = 2.0 has seeds \[0\], not \[0, 1\]"):
        summary("learning", rows)


def test_every_kind_names_fields_of_its_rows():
    for kind, chosen in KINDS.items():
        assert issubclass(rows := rows_of(chosen), tuple)
        for name in (chosen.series, chosen.x, *chosen.quantities):
            assert hasattr(rows, name), (kind, name)


def test_records_are_read_as_they_are_written():
    """A plan reads the literals of a file; what else is not a literal it would miss."""
    orders = [entry.order for entry in ENTRIES]
    assert orders == sorted(set(orders))
    for entry in ENTRIES:
        assert rows_of(entry)._fields
        room = import_module(f"sacrepro.study.experiments.{entry.file}")
        (own,) = (record for record in room.EXPERIMENTS if record.name == entry.name)
        assert own == entry._replace(rows=own.rows, file="")


class Row(NamedTuple):
    instance: str
    kind: str
    x: int
    seed: int
    value: float


def test_instances_are_kept_apart():
    rows = [Row(name, "k", 0, seed, float(seed)) for name in ("a", "b") for seed in range(3)]
    assert [row.instance for row in summary_rows(rows, "kind", "x", ["value"])] == ["a", "b"]


def test_the_best_kappa_is_the_least_error_and_the_largest_return():
    def row(series, quantity, iqm, low, high, x=1.0):
        return SummaryRow("a", series, x, quantity, iqm, low, high, 20)

    rows = [
        row("0", "to_Q", 1.0, 0.9, 1.1),
        row("1", "to_Q", 0.5, 0.4, 0.6),
        row("0", "J", 1.0, 0.9, 1.1),
        row("1", "J", 0.95, 0.85, 1.05),
        row("0", "J", 2.0, 1.9, 2.1, x=2.0),
        row("2", "J", 2.0, 1.9, 2.1, x=2.0),
        row("0", "entropy", 1.0, 1.0, 1.0),
        row("1", "entropy", 1.0, 1.0, 1.0),
        row("0", "gradient_norm_squared", 2.0, 2.0, 2.0, x=3.0),
        row("1", "gradient_norm_squared", 1.0, 0.0, 2.0, x=3.0),
        row("0", "gap", 1.0, 1.0, 1.0),
    ]
    rows = [rows[-1], *rows[:-1]]
    assert list(best_kappa_rows(rows)) == [
        ("a", "to_Q", 1.0, 1, 0.5, 1),
        ("a", "J", 1.0, 0, 1.0, 0),
        ("a", "J", 2.0, 0, 2.0, 0),
        ("a", "gradient_norm_squared", 3.0, 1, 1.0, 0),
    ]
