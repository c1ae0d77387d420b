"""What stands behind the proxies, and is the same for all of them."""
import os

import process

HTTP = """daemon off;
master_process off;
pid {directory}/backend.pid;
error_log stderr error;
events {{ worker_connections 10000; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_body_temp_path {directory}/temp.body;
    proxy_temp_path {directory}/temp.proxy;
    fastcgi_temp_path {directory}/temp.fastcgi;
    uwsgi_temp_path {directory}/temp.uwsgi;
    scgi_temp_path {directory}/temp.scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ return 200 "a short answer\\n"; }}
    }}
}}
"""


def again(start):
    """Somebody may take a port between our look and its use: three tries."""
    for last in (False, False, True):
        try:
            return start()
        except process.Trouble as trouble:
            if last or "in use" not in str(trouble).lower():
                raise


def http_start(herd, _tools):
    port = process.ports_free(1)[0]
    with open(herd.path("backend.conf"), "w") as conf:
        conf.write(HTTP.format(directory=herd.directory, port=port))
    child = herd.start("http-backend", [
        "nginx", "-p", herd.directory, "-c", "backend.conf"])
    herd.await_port(child, port)
    return port


def echo_start(herd, tools):
    child = herd.start("echo-backend", [os.path.join(tools, "echo")],
                       stdout=process.subprocess.PIPE)
    return int(herd.line(child, process.START_SECONDS))


def bulk_start(herd, _tools):
    port = process.ports_free(1)[0]
    child = herd.start("iperf3-backend", [
        "iperf3", "-s", "-B", "127.0.0.1", "-p", str(port), "--forceflush"])
    herd.await_text(child, "listening")
    return port


STARTS = {"http": http_start, "echo": echo_start, "bulk": bulk_start}
NAMES = list(STARTS)


def start_all(herd, tools):
    """The port of each, by name."""
    return {name: again(lambda start=start: start(herd, tools))
            for name, start in STARTS.items()}
