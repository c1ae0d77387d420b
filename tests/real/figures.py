#!/usr/bin/env python3
"""figures.py - serves a page of weir with figures that weir would hardly have.

  figures.py PORT PAGE

PAGE is what curl -i wrote of it.  The file scenario in the current directory
names what is answered beside it: see SCENARIOS.  What is asked for is written to
the file asked, one path a line.
"""
import http.server
import json
import sys
import time

BUCKETS = [[300, 5], [1000, 90], [30000, 5]]
HOSTILE = ("</script><script>document.title='owned'</script>"
           "<img src=x onerror=\"document.title='owned'\"><b>bold</b>&amp;")
DEAD = {"count": 0, "sum_us": 0, "buckets": []}


def server(name, age, active=3, pace=1000, reason="done"):
    """A server that has counted for so many seconds."""
    n = int(age * pace)
    moved = {"copied_bytes": n, "spliced_bytes": 0, "sent_bytes": 100 * n}
    times = {"count": 100 * n, "sum_us": 1000 * n,
             "buckets": [[us, n * part] for us, part in BUCKETS]}
    return {"name": name, "accepted": n, "active": active, "up": moved,
            "down": moved, "ended": {reason: n, "bug": 0}, "session": times,
            "connect": times, "first_byte": times}


def backend(address, age):
    n = int(age * 10)
    return {"address": address, "connects": n, "failures": n // 7,
            "connect_us": 500 * n, "active": 1, "up_bytes": n,
            "down_bytes": n}


def stage(name, of, age):
    n = int(age * 100)
    return {"server": of, "name": name, "calls": n, "bytes": n, "ns": 900 * n,
            "longest_ns": 61_000_000, "events": {name: n}}


def stats(servers, backends=(), middlewares=()):
    ended = {}
    for one in servers:
        for reason, n in one["ended"].items():
            ended[reason] = ended.get(reason, 0) + n
    total = {key: sum(one[key] for one in servers)
             for key in ("accepted", "active")}
    return {"time_ms": int(time.time() * 1000),
            "totals": {**total, "ended": ended, "connect": DEAD},
            "servers": list(servers), "backends": list(backends),
            "middlewares": list(middlewares)}


def many(age, numbers):
    names = [f"server-with-a-rather-long-name-{i}" for i in numbers]
    return stats([server(name, age, i) for i, name in enumerate(names)],
                 [backend(f"[fd00:1111:2222:3333::{i:x}]:65535", age)
                  for i in numbers], [stage("forward", n, age) for n in names])


SCENARIOS = {
    "hostile": lambda age: stats(
        [server(HOSTILE, age, reason=HOSTILE)], [backend(HOSTILE, age)],
        [stage(HOSTILE, HOSTILE, age)]),
    "many": lambda age: many(age, range(200)),
    # The first hundred are gone, ten have come: sums fall.
    "reloaded": lambda age: many(age, range(100, 210)),
    # All begins again.
    "restarted": lambda age: many(age / 1e6, range(100, 210)),
    "empty": lambda age: stats([]),
    # Nobody may see channels.
    "locked": lambda age: many(age, range(2)),
    "refused": lambda age: None,
    "garbage": lambda age: "<p>somebody else's page",
}


def channel(number, text):
    flow = {"state": text, "bytes": 10 ** number, "rate": 10 ** number,
            "held": 0, "splice": False}
    return {"id": f"1.0.{number}", "age_ms": 1000 ** number, "idle_ms": 5,
            "server": text, "listen": text, "client": text, "local": text,
            "backend": text, "state": text, "up": flow, "down": flow,
            "holder": None}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with open("asked", "a", encoding="utf-8") as file:
            file.write(self.path + "\n")
        with open("scenario", encoding="utf-8") as file:
            self.scenario = file.read().strip()
        path = self.path.partition("?")[0]
        if path == "/":
            self.page()
        elif path == "/v1/stats":
            self.json(SCENARIOS[self.scenario](time.monotonic()))
        elif path == "/v1/status":
            self.json({"version": self.text(), "generation": 1, "workers": 2,
                       "pid": 1})
        elif path == "/v1/listeners":
            self.json({"listeners": [{"server": HOSTILE, "state":
                                      self.text()}]})
        elif path == "/v1/channels" and self.scenario == "locked":
            self.refuse(401)
        elif path == "/v1/channels":
            rows = [channel(i, self.text()) for i in range(10)]
            self.json({"channels": [] if self.scenario == "empty" else rows,
                       "total": 10000, "silent": [{"slot": 1}]})
        else:
            self.send_error(404)

    def text(self):
        return HOSTILE if self.scenario == "hostile" else "fine"

    def json(self, value):
        if value is None:
            self.refuse(503)
        elif isinstance(value, str):
            self.answer(200, "text/html", value.encode())
        else:
            self.answer(200, "application/json", json.dumps(value).encode())

    def refuse(self, status):
        self.answer(status, "application/json",
                    json.dumps({"error": HOSTILE}).encode())

    def page(self):
        with open(sys.argv[2], "rb") as file:
            head, _, body = file.read().partition(b"\r\n\r\n")
        self.send_response(200)
        for line in head.decode().split("\r\n")[1:]:
            if not line.startswith(("Date:", "Connection:")):
                self.send_header(*line.split(": ", 1))
        self.end_headers()
        self.wfile.write(body)

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(
        ("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
