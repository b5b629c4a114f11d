"""The law of one outer iteration of Algorithm 1 without sampling: E Q̂^T, its covariance, E ĝ."""
