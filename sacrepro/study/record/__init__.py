"""What a claim is made of: a case, comparisons, a verdict."""
