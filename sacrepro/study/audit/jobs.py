"""The jobs of the audit. Each loads what it runs, so that its digest is its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sacrepro.archive.files import some_rows, write_arrays, write_rows
from sacrepro.study.arguments import Attacked, Count, File, Ordinal
from sacrepro.study.record.comparison import Comparison


def witnesses(*, output: File) -> Iterator[str]:
    """Measure both sides of every false sentence where it fails."""
    from sacrepro.study.audit.counterexamples import witnesses as all_witnesses

    rows: list[Comparison] = []
    for witness in all_witnesses():
        own = witness.measured()
        rows += own
        yield f"{witness.key}: {len(own)} comparisons"
    write_rows(output, Comparison, rows)


def falsify(*, output: File) -> Iterator[str]:
    """Plant wrong bounds and write which of them are caught."""
    from sacrepro.study.audit.falsify import Planted, falsification

    rows: list[Planted] = []
    for row in falsification():
        rows.append(row)
        yield f"{row.caught}: {row.mistake}, {row.claim} {row.hypothesis}"
    write_rows(output, Planted, rows)


def adversary(claim: Attacked, *, evaluations: Count, seed: Ordinal, models: File, output: File) -> Iterator[str]:
    """Attack every variant of one claim and write the largest left/right, and the models that attain it."""
    from sacrepro.study.audit.adversary import Found, arrays, attack

    found = []
    for row, model in attack(claim, evaluations, seed):
        found.append((row, model))
        yield f"{row.claim} {row.hypothesis}: random {row.random:.4f}, adversary {row.adversary:.4f}"
    write_rows(output, Found, [row for row, _ in found])
    write_arrays(models, arrays(found))


def adversary_table(found: Sequence[str], *, output: File) -> None:
    """Join what `adversary` wrote for each claim."""
    from sacrepro.study.audit.adversary import Found

    write_rows(output, Found, some_rows(found, Found))
