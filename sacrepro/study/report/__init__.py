"""The report as a document: what the claims say about themselves, set in the paper's notation and compiled to pdf."""
