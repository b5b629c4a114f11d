"""Rule `exact`: everything exact about one instance."""

from __future__ import annotations

from collections.abc import Iterator

from sacrepro.archive.files import write_arrays
from sacrepro.instances import build
from sacrepro.study.arguments import Count, File, NonNegative, Ordinal, Spec
from sacrepro.study.record.case import arrays, exact_cases


def exact(
    *, instance: str, spec: Spec, policies: Count, seed: Ordinal, scale: NonNegative, output: File
) -> Iterator[str]:
    """Write V, J, π^θ, D and ∇J of one instance under the uniform and seeded Gaussian policies."""
    mdp = build(spec)
    done = []
    for case in exact_cases(instance, mdp, policies, seed, scale):
        done.append(case)
        yield f"{case.instance}: {mdp.n} agents, θ {case.policy}, certified error {case.error:.1e}"
    write_arrays(output, arrays(spec, done))
