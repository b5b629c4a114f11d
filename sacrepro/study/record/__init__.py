"""What a claim is made of: a case, comparisons, a record; and what becomes of it, a verdict."""

from sacrepro.study.record.case import Case, exact_case, uniform_case
from sacrepro.study.record.claim import Attack, Change, Claim, Counterexample, Drawing, Plant, Variant
from sacrepro.study.record.comparison import Comparison

__all__ = [
    "Attack", "Case", "Change", "Claim", "Comparison", "Counterexample", "Drawing", "Plant", "Variant", "exact_case",
    "uniform_case",
]  # fmt: skip
