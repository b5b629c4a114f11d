"""Snakemake in forks of one process that has loaded it, which takes longer than most plans: a second and more."""

import atexit
import functools
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

#: Runs the command lines that it reads, each in a folder and an environment of its own, and prints how each ended.
SERVER = """
import json, os, sys
import snakemake.cli
for line in sys.stdin:
    words, folder, environment, files = json.loads(line)
    if (child := os.fork()) == 0:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, file in enumerate(files, start=1):
            os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND), number)
        sys.argv = ["snakemake", *words]
        snakemake.cli.main()
        sys.exit()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@functools.cache
def server(python_path):
    """The process that has loaded Snakemake, of this process of the tests."""
    started = subprocess.Popen(
        [sys.executable, "-c", SERVER], env=os.environ | {"PYTHONPATH": python_path}, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip

    @atexit.register
    def end():
        started.stdin.close()
        started.wait()
        started.stdout.close()

    return started


def snakemake(*words, cwd, env=os.environ, merged=False, timeout=1500):
    """What `python -m snakemake` with these words does: a subprocess.CompletedProcess with text.

    merged : stderr is in stdout, line by line.
    """
    process = server(env.get("PYTHONPATH", ""))
    with tempfile.TemporaryDirectory() as place:
        files = [Path(place, "stdout"), Path(place, "stdout" if merged else "stderr")]
        for file in files:
            file.touch()
        asked = [list(map(str, words)), str(cwd), dict(env), list(map(str, files))]
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], timeout)[0]:
            os.killpg(process.pid, signal.SIGKILL)
            server.cache_clear()
            raise subprocess.TimeoutExpired(asked[0], timeout)
        code = int(process.stdout.readline())
        stdout, stderr = (file.read_text() for file in files)
    return subprocess.CompletedProcess(asked[0], code, stdout, "" if merged else stderr)
