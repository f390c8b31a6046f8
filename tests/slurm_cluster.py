"""A throw-away SLURM of one or more nodes on this machine, without systemd: for tests, and to try profiles/slurm.

    python tests/slurm_cluster.py start [NODES]
    python tests/slurm_cluster.py stop

It installs nothing. A node says that it has 16 CPUs, 16 GB and two GPUs, whatever the machine has. A step that holds
more memory than its job asked for is killed. All sockets but those of clients are bound to 127.0.0.1.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PACKAGES = "slurmctld slurmd slurm-client munge"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")
# Jobs find the configuration nowhere else: Snakemake's jobstep plugin removes SLURM_CONF from their environment.
ETC = Path("/etc/slurm")
FILES = ("slurm.conf", "gres.conf")
MARK = "# Written by tests/slurm_cluster.py"

SLURM_CONF = """{mark}
ClusterName=throwaway
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={root}/munge/socket
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.%n.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=5
# squeue tells of jobs for so many seconds after their end; Snakemake asks it.
MinJobAge=3600
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=5,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=512
# Memory is looked at every second, and what is above its job's is killed: without cgroups, that can be had anywhere.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
GresTypes=gpu
# The node is believed what it says, not looked at.
SlurmdParameters=config_overrides
{nodes}
PartitionName=all Nodes=ALL Default=YES MaxTime=UNLIMITED State=UP
"""
NODE = """NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=16 Boards=1 SocketsPerBoard=1 \
CoresPerSocket=16 ThreadsPerCore=1 RealMemory=16000 Gres=gpu:2"""
# A GPU must be a device file, of which each may be named once.
GRES_CONF = """{mark}
AutoDetect=off
Name=gpu File=/dev/null
Name=gpu File=/dev/zero
"""


class NoCluster(Exception):
    """Why there can be no cluster on this machine, in one line."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster; `root` has its configuration, state and logs."""

    root: Path

    def jobs(self, form: str) -> list[str]:
        """A line for each job that ran or runs, oldest first, in a format of `squeue --format`."""
        return _output("squeue", "--states=all", "--noheader", "--sort=i", f"--format={form}").splitlines()

    def details(self, job: str) -> str:
        """All that SLURM knows of a job."""
        return _output("scontrol", "show", "job", job)

    def cancel(self, job: str) -> None:
        """`scancel` a job."""
        _output("scancel", job)


def missing() -> str | None:
    """What keeps a cluster from starting here; None where nothing does."""
    absent = [name for name in PROGRAMS if _program(name) is None]
    if absent:
        return f"SLURM is not installed ({', '.join(absent)}): make slurm-deps, or install {PACKAGES}"
    if os.geteuid() != 0:
        return "only root can start SLURM's daemons and write /etc/slurm"
    if any(os.path.lexists(ETC / name) for name in FILES) and not _ours():
        return f"{ETC} belongs to another SLURM, which is left alone"
    if _ours() and _alive(_root()):
        return "a throw-away cluster is running already: python tests/slurm_cluster.py stop"
    return None


def start(nodes: int = 1, timeout_s: float = 30) -> Cluster:
    """Start the daemons and wait for the nodes.

    Raises:
        NoCluster: something is missing, or a daemon did not come up; nothing is left running then.
    """
    reason = missing()
    if reason:
        raise NoCluster(reason)
    root = Path(tempfile.mkdtemp(prefix="s2v-slurm-"))
    # Clients of munge must get through to its socket; its key is for its owner alone.
    root.chmod(0o755)
    for name in ("munge", "state", "spool"):
        (root / name).mkdir(mode=0o755)
    key = root / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    controller_port, *ports = _free_ports(1 + nodes)
    host = socket.gethostname().split(".")[0]
    names = [f"node{number}" for number in range(1, nodes + 1)]
    lines = [NODE.format(name=name, host=host, port=port) for name, port in zip(names, ports, strict=True)]
    values = {
        "mark": MARK, "root": root, "host": host, "controller_port": controller_port, "nodes": "\n".join(lines)
    }  # fmt: skip
    (root / "slurm.conf").write_text(SLURM_CONF.format(**values))
    (root / "gres.conf").write_text(GRES_CONF.format(**values))
    ETC.mkdir(exist_ok=True)
    for name in FILES:
        (ETC / name).unlink(missing_ok=True)
        (ETC / name).symlink_to(root / name)
    try:
        _output(
            "munged", f"--key-file={key}", f"--socket={root}/munge/socket", f"--pid-file={root}/munged.pid",
            f"--log-file={root}/munged.log", f"--seed-file={root}/munge.seed",
        )  # fmt: skip
        _output("slurmctld")
        for name in names:
            _output("slurmd", "-N", name)
        _wait(lambda: _output("sinfo", "-N", "--noheader", "--format=%T").split() == ["idle"] * nodes, timeout_s)
    except (NoCluster, OSError) as error:
        logs = [line for log in sorted(root.glob("*.log")) for line in _errors(log)]
        stop()
        raise NoCluster(f"SLURM did not start: {error} {' '.join(logs)[-600:]}".strip()) from error
    return Cluster(root)


def stop() -> None:
    """Kill all jobs and daemons of the cluster that `start` started, and remove its files; nothing where none is."""
    if not _ours():
        return
    root = _root()
    if _alive(root):
        try:
            _output("scancel", "--user=root")
            _wait(lambda: not _output("squeue", "--noheader"), 20)
        except NoCluster as error:
            print(f"jobs may be left: {error}", file=sys.stderr)
    for name in ("slurmd", "slurmctld", "munged"):
        for file in root.glob(f"{name}*.pid"):
            _kill(file)
    for name in FILES:
        (ETC / name).unlink(missing_ok=True)
    shutil.rmtree(root, ignore_errors=True)


@contextmanager
def cluster(nodes: int = 1) -> Iterator[Cluster]:
    """A cluster for as long as the block lasts.

    Raises:
        NoCluster: there can be none here.
    """
    running = start(nodes)
    try:
        yield running
    finally:
        stop()


def _ours() -> bool:
    conf = ETC / FILES[0]
    return conf.is_symlink() and _root().name.startswith("s2v-slurm-")


def _root() -> Path:
    return Path(os.readlink(ETC / FILES[0])).parent


def _alive(root: Path) -> bool:
    return _pid(root / "slurmctld.pid") is not None


def _pid(file: Path) -> int | None:
    """Process of a pid file, if that still is the daemon of the file's name."""
    try:
        pid = int(file.read_text())
    except (OSError, ValueError):
        return None
    return pid if _runs(pid, file.name.split(".")[0]) else None


def _runs(pid: int, name: str) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == name
    except OSError:
        return False


def _kill(file: Path) -> None:
    pid = _pid(file)
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    try:
        # A daemon removes its pid file some time before it ends.
        _wait(lambda: not _runs(pid, file.name.split(".")[0]), 10)
    except NoCluster:
        os.kill(pid, signal.SIGKILL)


def _program(name: str) -> str | None:
    # Debian keeps daemons where a user's PATH does not lead.
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")


def _output(name: str, *arguments: str) -> str:
    program = _program(name)
    if program is None:
        raise NoCluster(f"{name} is not installed")
    # Not the caller's SLURM, should there be one. Daemons keep what they are given open, hence a file and no pipe.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SLURM")}
    with tempfile.TemporaryFile("w+") as text:
        done = subprocess.run([program, *arguments], env=environment, stdout=text, stderr=text, timeout=60)
        text.seek(0)
        said = text.read()
    if done.returncode != 0:
        raise NoCluster(f"{name}: {' '.join(said.split())[-300:]}")
    return said


def _errors(log: Path) -> list[str]:
    lines = log.read_text(errors="replace").splitlines()
    return [line for line in lines if "error" in line.lower() or "fatal" in line.lower()][-2:]


def _wait(ready: Callable[[], bool], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > deadline:
            raise NoCluster(f"it took more than {timeout_s:g} s")
        time.sleep(0.1)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


if __name__ == "__main__":
    try:
        if sys.argv[1:2] == ["start"] and all(count.isdecimal() for count in sys.argv[2:]) and len(sys.argv) < 4:
            nodes = int(sys.argv[2]) if sys.argv[2:] else 1
            print(f"a SLURM is up, nodes: {nodes}; its logs are in {start(nodes).root}")
        elif sys.argv[1:] == ["stop"]:
            stop()
        else:
            sys.exit("say start or stop")
    except NoCluster as error:
        sys.exit(str(error))
