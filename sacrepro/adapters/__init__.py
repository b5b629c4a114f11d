"""Doors to other libraries, one module a library. Nothing else in the package imports them or needs those libraries."""
