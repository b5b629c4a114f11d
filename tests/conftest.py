"""One hypothesis profile for all tests: no deadlines on shared machines, the same examples on every run."""

import fcntl
import gc
import zlib
from pathlib import Path

from hypothesis import HealthCheck, settings

settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("house")

#: Syntax trees of all tests are built while they are collected: none of it is garbage.
gc.set_threshold(100_000, 20, 100)


def pytest_configure(config):
    """Of processes that test side by side one compiles a kernel; the others wait for it and read it from disk."""
    if not hasattr(config, "workerinput"):
        return
    from numba.core.dispatcher import Dispatcher

    compile_kernel = Dispatcher.compile
    locks = (Path(config.getoption("basetemp")).parent / "kernels").open("wb")
    config.add_cleanup(locks.close)

    def compile_or_wait(kernel, signature):
        place = zlib.crc32(kernel.py_func.__qualname__.encode())
        fcntl.lockf(locks, fcntl.LOCK_EX, 1, place)
        try:
            return compile_kernel(kernel, signature)
        finally:
            fcntl.lockf(locks, fcntl.LOCK_UN, 1, place)

    Dispatcher.compile = compile_or_wait
