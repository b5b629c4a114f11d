"""V, π^θ and stationary laws by iteration on the factored product, each with a certificate."""
