"""Formulas are laid out once for all figures: matplotlib remembers fifty, and those of one figure alone."""

import functools

from matplotlib.mathtext import MathTextParser

_parse = MathTextParser._parse_cached.__wrapped__


@functools.cache
def laid_out(output, *asked):
    """The layout of a formula, as boxes of pixels or as paths."""
    return _parse(MathTextParser(output), *asked)


MathTextParser._parse_cached = lambda self, *asked: laid_out(
    {"vector": "path", "raster": "agg"}[self._output_type], *asked
)
