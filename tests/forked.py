"""Snakemake, and the jobs that it starts, in forks of processes that have loaded what others wrote.

To load Snakemake takes longer than most plans, to load numba and matplotlib longer than most jobs of a small study.
Nothing of this package is loaded before the fork.
"""

import atexit
import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

#: Runs the command lines that it reads, each in a folder and an environment of its own, and prints how each ended: what
#: takes too long is killed with all that it started.
SERVER = """
import json, os, signal, sys
import jsonschema, networkx
import snakemake.cli
snakemake.cli.get_argument_parser()  # loads the plugins
signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
for line in sys.stdin:
    words, folder, environment, files, seconds = json.loads(line)
    if (child := os.fork()) == 0:
        os.setsid()
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, file in enumerate(files, start=1):
            os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND), number)
        sys.argv = ["snakemake", *words]
        snakemake.cli.main()
        sys.exit()
    signal.setitimer(signal.ITIMER_REAL, seconds)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    late = signal.setitimer(signal.ITIMER_REAL, 0)[0] == 0
    print("late" if late else code, flush=True)
"""

#: What `python` is where jobs are forked: hands `python -m sacrepro.study …` over, with its files, and ends as that
#: ends. Anything else is Python.
STAND_IN = """#!{python} -IS
import json, os, socket, sys
if sys.argv[1:3] != ["-m", "sacrepro.study"]:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
with socket.socket(socket.AF_UNIX) as server:
    server.connect({place!r})
    socket.send_fds(server, [b"."], [0, 1, 2])
    asked = json.dumps([sys.argv[3:], os.getcwd(), dict(os.environ)]).encode()
    server.sendall(b"%16d" % len(asked) + asked)
    sys.exit(int(server.recv(8)))
"""

#: Runs jobs, each in a fork that is killed when its stand-in is; ends with the process that started it.
JOBS = """
import atexit, json, os, runpy, select, signal, socket, sys, traceback
import jsonschema, matplotlib.figure, matplotlib.style, networkx, numba, scipy.sparse.linalg, scipy.special, yaml

def job(words, folder, environment, files):
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, file in enumerate(files):
        os.dup2(file, number)
    try:
        sys.argv = [runpy.importlib.util.find_spec("sacrepro.study.__main__").origin, *words]
        runpy.run_module("sacrepro.study", run_name="__main__", alter_sys=True)
        return 0
    except SystemExit as ended:
        return int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
        return 1

numba.njit(lambda: 0)()  # the compiler itself
with socket.socket(socket.AF_UNIX) as server:
    server.bind(sys.argv[1])
    server.listen(64)
    print(flush=True)
    parent = os.getppid()
    server.settimeout(1)
    running = 0
    while os.getppid() == parent:
        while running and os.waitpid(-1, os.WNOHANG)[0]:
            running -= 1
        try:
            asked = server.accept()[0]
        except TimeoutError:
            continue
        running += 1
        if os.fork() == 0:
            asked.settimeout(None)
            files = socket.recv_fds(asked, 1, 3)[1]
            with asked.makefile("rb") as sent:
                words, folder, environment = json.loads(sent.read(int(sent.read(16))))
            if (child := os.fork()) == 0:
                os.setsid()
                code = job(words, folder, environment, files)
                atexit._run_exitfuncs()
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
            ended = os.pidfd_open(child)
            if ended not in select.select([asked, ended], [], [])[0]:
                os.killpg(child, signal.SIGKILL)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            try:
                asked.sendall(b"%d" % (code if code >= 0 else 128 - code))
            finally:
                os._exit(0)
        asked.close()
"""


def started(code, python_path, *words):
    """A process that runs some code, reads from us and answers; it ends with this one."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], start_new_session=True,
        env=os.environ | {"PYTHONPATH": python_path, "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip

    @atexit.register
    def end():
        process.stdin.close()
        if code is JOBS:
            process.terminate()
        process.wait()
        process.stdout.close()

    return process


@functools.cache
def server(python_path):
    """The process that has loaded Snakemake, of this process of the tests."""
    return started(SERVER, python_path)


@functools.cache
def forking_jobs(python_path):
    """The folder whose `python`, first on the path, forks the jobs."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    place = f"{folder.name}/socket"
    started(JOBS, python_path, place).stdout.readline()
    stand_in = Path(folder.name, "python")
    stand_in.write_text(STAND_IN.format(python=sys.executable, place=place))
    stand_in.chmod(0o755)
    return folder.name


def snakemake(*words, cwd, env=os.environ, merged=False, timeout=1500, jobs=False):
    """What `python -m snakemake` with these words does: a subprocess.CompletedProcess with text.

    merged : stderr is in stdout, line by line.
    timeout : seconds until it is killed with all that it started; then subprocess.TimeoutExpired.
    jobs : whether its jobs are forked, too. They share the seed of their hashes, which processes of their own do not.
    """
    process = server(env.get("PYTHONPATH", ""))
    if jobs:
        env = env | {"PATH": os.pathsep.join((forking_jobs(env.get("PYTHONPATH", "")), env["PATH"]))}
    with tempfile.TemporaryDirectory() as place:
        files = [Path(place, "stdout"), Path(place, "stdout" if merged else "stderr")]
        for file in files:
            file.touch()
        asked = [list(map(str, words)), str(cwd), dict(env), list(map(str, files)), timeout]
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        code = process.stdout.readline().strip()
        stdout, stderr = (file.read_text() for file in files)
    if code == "late":
        raise subprocess.TimeoutExpired(asked[0], timeout, stdout)
    return subprocess.CompletedProcess(asked[0], int(code), stdout, "" if merged else stderr)
