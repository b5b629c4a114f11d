"""Which κ is enough for this network? Bounds, measured decay and cost side by side, and a recommendation in words."""

from sacrepro.advise.summary import summary

__all__ = ["summary"]
