"""What a run stands on: the machine, the programs, their limits."""
import os
import platform
import re
import resource
import shutil
import subprocess

import process

# What is run, its package in Debian, how to ask for its version, how it is said.
PROGRAMS = [
    ("nginx", "nginx", ["-v"], r"nginx/\S+"),
    ("haproxy", "haproxy", ["-v"], r"HAProxy version \S+?(?=-| )"),
    ("iperf3", "iperf3", ["--version"], r"iperf \S+"),
]
NEEDED = ["/proc/self/schedstat", "/proc/self/smaps_rollup"]
FILES_SPARE = 400  # descriptors of a proxy that are no channels


def needs_check():
    for name, package, _, _ in PROGRAMS:
        if not shutil.which(name, path=process.search_path()):
            raise process.Trouble("%s is missing: install Debian's %s"
                                  % (name, package))
    for path in NEEDED:
        if not os.path.exists(path):
            raise process.Trouble("this kernel has no %s" % path)


def version_of(command, pattern):
    said = subprocess.run(command, env=process.environment(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    found = re.search(pattern, said.stdout.decode(errors="replace"))
    return found.group(0) if found else command[0]


def versions(weir):
    found = {"weir": version_of([weir, "-V"], r"\S.*")}
    for name, _, options, pattern in PROGRAMS:
        found[name] = version_of([name, *options], pattern)
    return found


def line_of(path, pattern):
    with open(path) as lines:
        found = re.search(pattern, lines.read(), re.M)
    return found.group(1).strip() if found else "unknown"


def describe():
    memory = line_of("/proc/meminfo", r"^MemTotal:\s*(\d+)")
    return {"cpu": line_of("/proc/cpuinfo", r"^model name\s*:(.*)$"),
            "cores": os.cpu_count(), "kernel": platform.release(),
            "memory_gib": int(memory) / (1 << 20)}


def files_raise():
    """As many open files as are allowed; how many channels that makes."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = 1 << 20
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return (hard - FILES_SPARE) // 2


class Busy:
    """How much of the machine others have used since this was made."""

    def __init__(self):
        self.start = self.look()

    @staticmethod
    def look():
        """Seconds that all CPUs have been busy; of ours; idle; proc(5)."""
        with open("/proc/stat") as stat:
            ticks = [int(word) for word in stat.readline().split()[1:9]]
        hertz = os.sysconf("SC_CLK_TCK")
        idle = (ticks[3] + ticks[4]) / hertz
        ours = sum(os.times()[:4])
        ours += process.cpu_ns(process.family(os.getpid())[1:]) / 1e9
        return sum(ticks) / hertz - idle, ours, idle

    def others(self):
        """A share of all CPUs."""
        busy, ours, idle = (now - then for now, then in
                            zip(self.look(), self.start))
        return max(0.0, busy - ours) / max(busy + idle, 0.01)


def has_sanitizers(weir):
    with open(weir, "rb") as binary:
        return b"__asan_init" in binary.read()
