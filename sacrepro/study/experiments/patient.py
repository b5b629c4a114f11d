"""What κ does alone: ascent along eq. (7) with TD's fixed points, recorded exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sacrepro.archive.files import write_rows
from sacrepro.instances import build
from sacrepro.model.policy import uniform_theta
from sacrepro.study.arguments import Count, File, Ordinal, Positive, Spec
from sacrepro.study.measures.exact_critic import exact_ascent
from sacrepro.study.measures.stationarity import StationarityRow, stationarity_rows


def patient(
    *,
    instance: str,
    spec: Spec,
    kappas: Sequence[Ordinal],
    M: Count,
    eta: Positive,
    record_every: Count,
    output: File,
) -> Iterator[str]:
    """Ascend along eq. (7) with TD's fixed points for every κ: Algorithm 1 with T = ∞, without sampling."""
    mdp = build(spec)
    rows: list[StationarityRow] = []
    for kappa in kappas:
        thetas, m = exact_ascent(mdp, uniform_theta(mdp), M=M, eta=eta, record_every=record_every, kappa=kappa)
        rows += stationarity_rows(mdp, instance, kappa, 0, m, thetas)
        yield f"{instance}, κ={kappa}: done"
    write_rows(output, StationarityRow, rows)
