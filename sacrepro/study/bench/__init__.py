"""Benchmarks that anybody can run: the same problems solved here and by others, side by side in one run."""
