"""The workloads: what is done through a proxy, and what it costs the proxy.

Each is measured between two looks at a proxy that is at rest before and after
(only connections are open), so its figures are of whole requests.
"""
import json
import os
import subprocess

import process

GIB = 1 << 30
ANSWER_SECONDS = 120
BUSY_TRIES = 20


class Tools:
    """Programs that make the load."""

    def __init__(self, herd, directory, scale):
        self.herd = herd
        self.directory = directory
        self.scale = scale

    def drive(self, options, port):
        return self.herd.start(
            "drive", [os.path.join(self.directory, "drive"), *options,
                      str(port)], stdout=subprocess.PIPE)

    def iperf3(self, options, port):
        """What an iperf3 has received; its server may still be busy with the
        end of the one before."""
        for _ in range(BUSY_TRIES):
            said = self.iperf3_once(options, port)
            if "busy" not in said.get("error", ""):
                break
        if "sum_received" not in said.get("end", {}):
            raise process.Trouble("iperf3: %s" % said.get("error", said))
        return said["end"]["sum_received"]

    def iperf3_once(self, options, port):
        child = self.herd.start(
            "iperf3", ["iperf3", "-J", "-c", "127.0.0.1", "-p", str(port),
                       *options], stdout=subprocess.PIPE)
        try:
            text = child.communicate(timeout=ANSWER_SECONDS)[0].decode()
        except subprocess.TimeoutExpired:
            self.herd.fail(child, "does not end")
        finally:
            self.herd.end(child)
        return json.loads(text or "{}")


class Workload:
    """One row of the comparison for each of its proxies."""
    rounds = None  # as many as the others
    fresh = False  # wants a proxy that has just started

    def __init__(self, name, title, unit, proxies):
        self.name = name
        self.title = title
        self.unit = unit
        self.proxies = proxies


class Requests(Workload):
    """Connections that ask again when they are answered."""

    def __init__(self, name, title, unit, proxies, backend, connections,
                 *options):
        super().__init__(name, title, unit, proxies)
        self.backend = backend
        self.connections = connections
        self.options = options

    def measure(self, tools, proxy):
        ms = round(tools.scale.seconds * 1000)
        count = min(self.connections, tools.scale.connections)
        drive = tools.drive([*self.options, "-c", str(count), "-t", str(ms)],
                            proxy.ports[self.backend])
        try:
            tools.herd.line(drive, ANSWER_SECONDS)
            before = proxy.look(process.cpu_ns)
            drive.stdin.write(b"go\n")
            said = json.loads(tools.herd.line(drive, ANSWER_SECONDS))
            used_ns = proxy.look(process.cpu_ns) - before
        finally:
            tools.herd.end(drive)
        return {"cost": used_ns / 1000 / said["requests"],
                "rate": said["requests"] / said["seconds"],
                "p50_us": said["p50_us"], "p99_us": said["p99_us"],
                "cpu_ns": used_ns, "units": said["requests"]}


class Bulk(Workload):
    """One connection that carries as much as it can."""

    def __init__(self, name, title, proxies, *options):
        super().__init__(name, title, "ms/GiB", proxies)
        self.options = options

    def measure(self, tools, proxy):
        before = proxy.look(process.cpu_ns)
        said = tools.iperf3(["-n", tools.scale.bulk, *self.options],
                            proxy.ports["bulk"])
        used_ns = proxy.look(process.cpu_ns) - before
        gib = said["bytes"] / GIB
        return {"cost": used_ns / 1e6 / gib, "rate": gib / said["seconds"],
                "cpu_ns": used_ns, "units": gib}


class Idle(Workload):
    """Connections that have each been answered once, and then say nothing."""
    fresh = True
    rounds = 2

    def measure(self, tools, proxy):
        count = tools.scale.idle
        before = proxy.look(process.private_bytes)
        drive = tools.drive(["-c", str(count)], proxy.ports["echo"])
        try:
            tools.herd.line(drive, ANSWER_SECONDS)
            used = proxy.look(process.private_bytes) - before
        finally:
            tools.herd.end(drive)
        return {"cost": used / count, "bytes": used, "units": count}


class Scale:
    """How long and how much."""

    def __init__(self, rounds, seconds, bulk, limit, connections=4000,
                 idle=9000):
        self.rounds = rounds  # and more for those that were disturbed
        self.seconds = seconds  # of requests
        self.bulk = bulk  # bytes, as iperf3 takes them
        self.limit = limit  # seconds, after which no round begins
        self.connections = connections  # at most
        self.idle = idle


# Many short rounds: what else a machine does comes in bursts, which a median
# then leaves out.
FULL = Scale(15, 0.7, "1G", 560)
QUICK = Scale(6, 0.3, "512M", 100)
TINY = Scale(1, 0.1, "32M", 100, connections=200, idle=300)

PEERS = ["nginx", "haproxy", "haproxy-splice"]

WORKLOADS = [
    Requests("keepalive", "HTTP, 64 connections", "us/request",
             ["weir", "weir-1", "weir-5", "weir-limits", *PEERS], "http", 64,
             "-h"),
    Requests("new", "HTTP, new connections", "us/connection",
             ["weir", "weir-5", "weir-limits", *PEERS], "http", 64, "-h", "-1"),
    Requests("active", "HTTP, 4000 connections", "us/request",
             ["weir", *PEERS], "http", 4000, "-h"),
    Requests("pingpong", "64 bytes and back", "us/round trip",
             ["weir", "weir-copy", *PEERS], "echo", 1),
    Bulk("up", "bulk to the backend",
         ["weir", "weir-copy", "weir-count", *PEERS]),
    Bulk("down", "bulk to the client",
         ["weir", "weir-copy", "weir-count", *PEERS], "-R"),
    Idle("idle", "idle channels", "bytes/channel",
         ["weir", "weir-5", *PEERS]),
]
