"""D_i(κ), the left side of Definition 2: exactly, between certified bounds, and at its worst over policies."""
