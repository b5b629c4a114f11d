"""Formulas of all figures are laid out once: matplotlib remembers the last fifty."""

import functools

from matplotlib.mathtext import MathTextParser

MathTextParser._parse_cached = functools.lru_cache(maxsize=None)(MathTextParser._parse_cached.__wrapped__)
