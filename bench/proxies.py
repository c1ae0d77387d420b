"""The proxies: how each is configured, started and looked at.

One worker or thread each, no logs, long timeouts, otherwise the defaults: what
its manual advises for a plain TCP proxy.
"""
import os
import re
import subprocess
import time

import backends
import process

REST_SECONDS = 0.01  # in which nothing changes for a proxy at rest

WEIR = """process = {{ workers = 1; }};
log = {{ level = "warn"; }};
{extensions}
servers = (
{servers}
);
"""
WEIR_SERVER = """  {{ name = "{name}"; listen = "127.0.0.1:0"; idle_timeout = "1h";
    {settings}
    middlewares = ( {middlewares}
      {{ type = "forward"; to = "127.0.0.1:{backend}"; }} ); }}"""
# Each looks at how a client begins, and lets everything pass from then on.
DETACHING = '{ type = "preface"; bytes = "GET "; keep = true; },\n     '
# Looks at every byte of both directions.
COUNT = '{ type = "count"; report = false; },\n     '

# Limits that nobody reaches, and figures of everything.
LIMITS = ('{ type = "limit_conn"; max = 1000000; },\n      '
          '{ type = "limit_new"; max = 1000000; },\n     ')
SHARED = 'extensions = ( "stats", "table" );'
# And a keeper who can be asked.
API = SHARED + '\napi = { listen = "unix:%s/api"; };'

NGINX = """{module}daemon off;
worker_processes 1;
pid {directory}/{name}.pid;
error_log stderr error;
events {{ worker_connections {files}; }}
stream {{
    proxy_timeout 1h;
{servers}
}}
"""
NGINX_SERVER = """    server {{
        listen 127.0.0.1:{port} backlog=4096;
        proxy_pass 127.0.0.1:{backend};
    }}"""

HAPROXY = """global
    nbthread 1
    maxconn {channels}
    maxpipes 100
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
{options}
{servers}
"""
# splice-auto would be gentler, but does not splice on a loopback at all.
SPLICE = "    option splice-request\n    option splice-response"
HAPROXY_SERVER = """listen {name}
    bind 127.0.0.1:{port} backlog 4096
    server backend 127.0.0.1:{backend}"""


class Proxy:
    """One proxy with one configuration; more than one process may run it."""

    channels = 0  # that it has to carry, whichever it is
    processes = 2  # a master and a worker

    def __init__(self, name, title):
        self.name = name
        self.title = title

    def check(self, herd):
        """Is trouble when its configuration is; peers say it at the start."""

    def start(self, herd, to):
        """Starts it before backends, by name; what runs."""
        return backends.again(lambda: self.start_once(herd, to))

    def running(self, herd, child, ports):
        """What runs, as soon as all its processes do: somebody who listens
        may not have forked yet."""
        herd.await_family(child, self.processes)
        return Running(self, herd, child, ports)

    def configure(self, herd, text):
        path = herd.path(self.name + ".conf")
        with open(path, "w") as conf:
            conf.write(text)
        return path


class Running:
    """A proxy that serves."""

    def __init__(self, proxy, herd, child, ports):
        self.proxy = proxy
        self.herd = herd
        self.child = child
        self.ports = ports
        self.pids = process.family(child.pid)

    def look(self, figure):
        """A figure of all its processes, which all have to be there still, as
        soon as it rests: it may have connections to open or close yet."""
        limit = time.monotonic() + process.START_SECONDS
        try:
            now, before = figure(self.pids), None
            while now != before:
                if time.monotonic() > limit:
                    self.herd.fail(self.child, "does not come to rest")
                time.sleep(REST_SECONDS)
                now, before = figure(self.pids), now
        except (FileNotFoundError, ProcessLookupError):
            self.herd.fail(self.child, "has lost a process")
        return now

    def end(self):
        self.herd.end(self.child)


class Weir(Proxy):
    def __init__(self, binary, name, title, middlewares="", settings="",
                 extensions=""):
        super().__init__(name, title)
        self.extensions = extensions
        if extensions:
            self.processes = 3  # a keeper, too
        self.binary = binary
        self.middlewares = middlewares
        self.settings = settings

    def text(self, to):
        servers = [WEIR_SERVER.format(
            name=name, settings=self.settings, backend=port,
            middlewares=self.middlewares) for name, port in to.items()]
        return WEIR.format(extensions=self.extensions,
                           servers=",\n".join(servers))

    def check(self, herd):
        path = self.configure(herd, self.text({"http": 9}))
        said = subprocess.run(
            [self.binary, "-t", "-q", "-c", path], env=process.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if said.returncode != 0:
            raise process.Trouble(
                "%s: this weir refuses its configuration:\n%s" % (
                    self.title, said.stdout.decode(errors="replace").strip()
                    or "(it said nothing)"))

    def start_once(self, herd, to):
        path = self.configure(herd, self.text(to))
        out, ready = os.pipe()
        try:
            child = herd.start(self.name, [
                self.binary, "-c", path, "--ready-fd", str(ready)],
                pass_fds=[ready])
        finally:
            os.close(ready)
        ports = {}
        with os.fdopen(out) as lines:
            for line in lines:
                found = re.match(r"listen .*server=(\w+) address=.*:(\d+)$",
                                 line.strip())
                if found:
                    ports[found.group(1)] = int(found.group(2))
                elif line.startswith("ready "):
                    return self.running(herd, child, ports)
        child.wait()
        herd.fail(child, "did not start")


class Peer(Proxy):
    """A proxy that wants to be told its ports."""

    def start_once(self, herd, to):
        ports = dict(zip(to, process.ports_free(len(to))))
        servers = "\n".join(self.server.format(
            name=name, port=ports[name], backend=to[name]) for name in to)
        path = self.configure(herd, self.text(herd.directory, servers))
        child = herd.start(self.name, self.command(herd.directory, path))
        # One alone: all are bound at once, and iperf3 takes it for a client.
        herd.await_port(child, ports["echo"])
        return self.running(herd, child, ports)


class Nginx(Peer):
    server = NGINX_SERVER

    def text(self, directory, servers):
        return NGINX.format(module=nginx_module(), name=self.name,
                            directory=directory, servers=servers,
                            files=2 * self.channels + 100)

    def command(self, directory, path):
        return ["nginx", "-p", directory, "-c", path]


class Haproxy(Peer):
    server = HAPROXY_SERVER
    processes = 1

    def __init__(self, name, title, options=""):
        super().__init__(name, title)
        self.options = options

    def text(self, directory, servers):
        return HAPROXY.format(options=self.options, servers=servers,
                              channels=self.channels)

    def command(self, directory, path):
        return ["haproxy", "-db", "-f", path]


def nginx_module():
    """The line that loads the stream module, where it is one."""
    said = subprocess.run(["nginx", "-V"], env=process.environment(),
                          stderr=subprocess.PIPE).stderr.decode()
    if "--with-stream=dynamic" not in said:
        return ""
    found = re.search(r"--modules-path=(\S+)", said)
    folder = found.group(1) if found else "/usr/lib/nginx/modules"
    path = folder + "/ngx_stream_module.so"
    if not os.path.exists(path):
        raise process.Trouble("nginx has no stream module (%s): install "
                              "Debian's libnginx-mod-stream" % path)
    return "load_module %s;\n" % path


def all_of(weir, channels):
    """Every proxy of the comparison; weir's binary is the caller's."""
    Proxy.channels = channels
    return [
        Weir(weir, "weir", "weir"),
        Weir(weir, "weir-copy", "weir, no splice",
             settings='splice = "off";'),
        Weir(weir, "weir-1", "weir, 1 detaching", DETACHING),
        Weir(weir, "weir-5", "weir, 5 detaching", DETACHING * 5),
        Weir(weir, "weir-count", "weir, count", COUNT),
        Weir(weir, "weir-limits", "weir, limits, stats", LIMITS,
             extensions=SHARED),
        Nginx("nginx", "nginx"),
        Haproxy("haproxy", "HAProxy"),
        Haproxy("haproxy-splice", "HAProxy, splice",
                SPLICE),
    ]
