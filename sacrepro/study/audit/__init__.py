"""Checks of the checks: planted mistakes, counterexamples, and an adversary who looks for violations."""
