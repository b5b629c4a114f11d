"""Which κ is enough for this network? Bounds, measured decay and cost side by side, and a recommendation in words."""
