"""P^θ as a product over agents, applied without its matrix."""
