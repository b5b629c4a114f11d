"""A real SLURM of one node, from Debian's packages: controller, node and authentication in one folder."""

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

CONF = Path("/etc/slurm/slurm.conf")
NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol")
PLUGIN = "snakemake_executor_plugin_slurm"
#: Jobs that run side by side, however many cores this machine has.
AT_ONCE = 8


def obstacle():
    """Why no SLURM can be started here, or None."""
    if missing := [name for name in NEEDED if not shutil.which(name, path=search_path())]:
        return f"not installed: {', '.join(missing)} (Debian: slurmctld slurmd slurm-client munge)"
    if os.geteuid() != 0:
        return "only root may start the daemons"
    if CONF.exists():
        return f"this machine has a {CONF} of its own"
    if importlib.util.find_spec(PLUGIN) is None:
        return "no Snakemake that knows it: pip install -r requirements.lock"
    return None


def search_path():
    """Where daemons are found."""
    return os.pathsep.join((os.environ["PATH"], "/usr/sbin", "/sbin"))


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def configuration(folder):
    """slurm.conf of a cluster whose files all lie in `folder`."""
    host = socket.gethostname().split(".")[0]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return f"""
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={free_port()}
SlurmdPort={free_port()}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
MinJobAge=43200
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={AT_ONCE} RealMemory={memory} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


@contextlib.contextmanager
def cluster(folder):
    """Starts the daemons, waits until the node is idle, and stops them in the end."""
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    CONF.parent.mkdir(exist_ok=True)
    CONF.write_text(configuration(folder))
    munge = ["munged", "--force", "--foreground", f"--key-file={key}", f"--socket={folder}/munge.socket"]
    munge += [f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log", f"--seed-file={folder}/munged.seed"]
    started = []
    try:
        for daemon in (munge, ["slurmctld", "-D"], ["slurmd", "-D"]):
            with open(folder / f"{daemon[0]}.out", "wb") as output:
                path = shutil.which(daemon[0], path=search_path())
                started.append(subprocess.Popen([path, *daemon[1:]], stdout=output, stderr=subprocess.STDOUT))
            time.sleep(0.5)
        wait_until_idle(folder)
        yield
    finally:
        subprocess.run(["scancel", "--partition=all"], capture_output=True)  # nothing outlives the cluster
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(timeout=30)
        CONF.unlink()


def wait_until_idle(folder, seconds=60):
    """Returns when the node accepts jobs."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = subprocess.run(["sinfo", "--noheader", "--format=%t"], capture_output=True, text=True)
        if answer.stdout.strip() == "idle":
            return
        time.sleep(0.3)
    logs = "\n".join(path.read_text()[-1500:] for path in sorted(folder.glob("*.log")))
    raise AssertionError(f"the node is {answer.stdout.strip()!r} {answer.stderr.strip()}\n{logs}")
