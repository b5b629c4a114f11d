"""Which κ is enough for this network? Bounds, measured decay and cost side by side, and a recommendation in words."""

from sacrepro.advise.advice import Advice, AgentRow, KappaRow, advise
from sacrepro.advise.summary import summary
from sacrepro.advise.words import recommendation, words

__all__ = ["Advice", "AgentRow", "KappaRow", "advise", "recommendation", "summary", "words"]
