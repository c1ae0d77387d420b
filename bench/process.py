"""Processes of a run: started in one directory, ended with it, looked at."""
import ctypes
import os
import select
import signal
import socket
import subprocess
import time

START_SECONDS = 20
END_SECONDS = 10
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


class Trouble(Exception):
    """What ends a run, in words for whoever started it."""


def environment():
    """Nothing that changes what programs do, but for sanitizers."""
    kept = {name: text for name, text in os.environ.items()
            if name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "HOME", "TMPDIR")}
    return dict(kept, LC_ALL="C", PATH=search_path())


def search_path():
    return os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Herd:
    """All processes that a run has started."""

    def __init__(self, directory):
        self.directory = directory
        self.members = []

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self, label, command, **more):
        """A process in the background; what it writes is in LABEL.log."""
        with open(self.path(label + ".log"), "ab") as log:
            streams = {"stdin": subprocess.PIPE, "stdout": log, "stderr": log}
            streams.update(more)
            child = subprocess.Popen(
                command, cwd=self.directory, env=environment(),
                bufsize=0, preexec_fn=die_with_parent,
                start_new_session=True, **streams)
        child.label = label
        self.members.append(child)
        return child

    def log_end(self, label):
        with open(self.path(label + ".log"), errors="replace") as log:
            return "".join(log.readlines()[-15:]).strip() or "(it said nothing)"

    def fail(self, child, what):
        raise Trouble("%s %s:\n%s" % (child.label, what,
                                      self.log_end(child.label)))

    def check(self, child):
        if child.poll() is not None:
            self.fail(child, "ended with status %d" % child.returncode)

    def line(self, child, seconds):
        """The next line that a child writes to its pipe."""
        ready, _, _ = select.select([child.stdout], [], [], seconds)
        text = child.stdout.readline() if ready else b""
        if not text:
            self.fail(child, "gave no answer" if not ready else "ended early")
        return text.decode().strip()

    def await_sign(self, child, sign, lack="does not listen",
                   seconds=START_SECONDS):
        """Waits until a function says that a child has started; what it lacks
        is said when it has not."""
        limit = time.monotonic() + seconds
        while not sign():
            self.check(child)
            if time.monotonic() > limit:
                self.fail(child, lack)
            time.sleep(0.01)
        self.check(child)

    def await_port(self, child, port):
        """Waits until somebody accepts there."""
        self.await_sign(child, lambda: accepts(port))

    def await_text(self, child, text):
        """Waits until its log has that text."""
        def written():
            with open(self.path(child.label + ".log")) as log:
                return text in log.read()
        self.await_sign(child, written)

    def await_family(self, child, count, seconds=START_SECONDS):
        """Waits until it has so many processes."""
        self.await_sign(child, lambda: len(family(child.pid)) == count,
                        "does not become %d processes" % count, seconds)

    def end(self, child, seconds=END_SECONDS):
        """Ends one and what it has started, at last by force; waits, and says
        no more of it."""
        for stream in (child.stdin, child.stdout):
            if stream:
                stream.close()
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(seconds)
            except subprocess.TimeoutExpired:
                # Its session is its own, and so is its group.
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        if child in self.members:
            self.members.remove(child)

    def end_all(self):
        for child in reversed(list(self.members)):
            self.end(child)


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ports_free(count):
    """Ports of the loopback that nobody had a moment ago."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def family(pid):
    """That process and all below it."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name) as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(name))
    found = [pid]
    for member in found:
        found.extend(parents.get(member, []))
    return found


def cpu_ns(pids):
    """CPU time of all threads of these processes: the first figure of their
    schedstat, exact for those that are at rest."""
    total = 0
    for pid in pids:
        tasks = "/proc/%d/task" % pid
        for task in os.listdir(tasks):
            with open("%s/%s/schedstat" % (tasks, task)) as stat:
                total += int(stat.read().split()[0])
    return total


def private_bytes(pids):
    """Memory that nobody shares with these processes (proc(5))."""
    total = 0
    for pid in pids:
        with open("/proc/%d/smaps_rollup" % pid) as rollup:
            for line in rollup:
                if line.startswith(("Private_Clean:", "Private_Dirty:")):
                    total += int(line.split()[1]) * 1024
    return total
