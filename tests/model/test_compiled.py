"""Compiled code is as new as every file that it was compiled from."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import sacrepro

KERNEL = """
from sacrepro.model.compiled import compiled
{imported}
@compiled
def {name}():
    return {value}
"""
CALL = "from sacrepro.learn.calling import calling; print(calling(), sum(calling.stats.cache_hits.values()))"


def test_a_kernel_is_compiled_again_when_a_file_that_it_calls_changes(tmp_path):
    """numba alone looks at the kernel's own file, and would answer 42 for ever."""
    package, own = tmp_path / "sacrepro", Path(sacrepro.__file__).parent
    shutil.copytree(own / "model", package / "model", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(own / "__init__.py", package)
    for room in ("simulate", "learn"):
        (package / room).mkdir()
    calling = KERNEL.format(
        imported="from sacrepro.simulate.called import called", name="calling", value="called() + 1"
    )
    (package / "learn/calling.py").write_text(calling)

    def answer(number):
        (package / "simulate/called.py").write_text(KERNEL.format(imported="", name="called", value=number))
        os.utime(package / "simulate/called.py", (number, number))
        environment = os.environ | {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "kept")}
        done = subprocess.run(
            [sys.executable, "-c", CALL], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    assert [answer(41), answer(41), answer(99)] == [["42", "0"], ["42", "1"], ["100", "0"]]
