#!/usr/bin/env python3
"""browser.py - a headless Chromium for test scripts, through chromedriver
(https://www.w3.org/TR/webdriver2).  WEBDRIVER is the port of that; session, the
file that "open" writes, is in the current directory.  Commands that follow each
other have the word "and" between them.

  browser.py open URL           starts one, goes there
  browser.py go URL
  browser.py run SCRIPT         writes what the script returns, as JSON
  browser.py until SCRIPT       waits until it returns something true
  browser.py media SCHEME       prefers-color-scheme; motion is reduced
  browser.py deny               storage, to pages that are opened from now on
  browser.py size W H           of the window
  browser.py shot FILE W H      a PNG of a window of that size
  browser.py colours FILE       how many the top of a PNG has, and how light its
                                corner is
  browser.py log                what the console has, one entry a line
  browser.py close
"""
import base64
import itertools
import json
import os
import socket
import struct
import sys
import zlib

WAIT_MS = 15000
TOP = 150  # rows of a picture that are looked at

# In the page: no turn of it is missed, and none is waited for blindly.
UNTIL = """
const done = arguments[arguments.length - 1];
const holds = () => { try { return (() => { %s })(); } catch (e) { return ''; } };
const end = performance.now() + %d;
const look = () => {
	const found = holds();
	if (found || performance.now() > end)
		done(found || null);
	else
		setTimeout(look, 20);
};
look();
"""


def call(method, path, body=None):
    """What the driver answers; ends the program with its error."""
    data = b"" if body is None else json.dumps(body).encode()
    port = int(os.environ["WEBDRIVER"])
    # Its modules for HTTP are half of what Python takes to start.
    with socket.create_connection(("127.0.0.1", port), 60) as driver:
        driver.sendall(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                       "Content-Type: application/json\r\n"
                       f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
        with driver.makefile("rb") as answer:
            status = int(answer.readline().split()[1])
            size = 0
            while (line := answer.readline().strip().lower()):
                if line.startswith(b"content-length:"):
                    size = int(line.split(b":")[1])
            value = json.loads(answer.read(size))["value"]
    if status != 200:
        sys.exit(value["message"])
    return value


def session(method, path, body=None):
    with open("session", encoding="ascii") as file:
        return call(method, f"/session/{file.read()}{path}", body)


def devtools(command, **params):
    return session("POST", "/goog/cdp/execute",
                   {"cmd": command, "params": params})


def begin(url):
    options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu",
                        "--disable-dev-shm-usage", "--no-first-run",
                        "--disable-background-networking",
                        "--disable-component-update",
                        "--user-data-dir=" + os.path.abspath("profile")]}
    answer = call("POST", "/session", {"capabilities": {"alwaysMatch": {
        "browserName": "chrome", "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "ALL"},
        "timeouts": {"script": 2 * WAIT_MS}}}})
    with open("session", "w", encoding="ascii") as file:
        file.write(answer["sessionId"])
    go(url)


def go(url):
    session("POST", "/url", {"url": url})


def run(script):
    print(json.dumps(session("POST", "/execute/sync",
                             {"script": script, "args": []})))


def until(script):
    found = session("POST", "/execute/async",
                    {"script": UNTIL % (script, WAIT_MS), "args": []})
    if not found:
        text = session("POST", "/execute/sync", {
            "script": "return document.body.innerText", "args": []})
        sys.exit(f"not within {WAIT_MS} ms: {script}\n{text}")


def media(scheme):
    devtools("Emulation.setEmulatedMedia", features=[
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"}])


def deny():
    devtools("Page.addScriptToEvaluateOnNewDocument", source="""
        Object.defineProperty(window, 'localStorage', {
            get() { throw new DOMException('no', 'SecurityError'); } });""")


def size(width, height):
    devtools("Emulation.setDeviceMetricsOverride", width=int(width),
             height=int(height), deviceScaleFactor=1,
             mobile=int(width) < 500)


def shot(file, width, height):
    size(width, height)
    # The page has drawn for that size.
    session("POST", "/execute/async", {"args": [], "script":
            "requestAnimationFrame(() => requestAnimationFrame("
            "arguments[0]))"})
    answer = devtools("Page.captureScreenshot", format="png")
    with open(file, "wb") as out:
        out.write(base64.b64decode(answer["data"]))


def pixels(file):
    """Rows of a PNG of 8 bits a colour (https://www.w3.org/TR/png)."""
    with open(file, "rb") as png:
        data = png.read()
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert depth == 8 and colour in (2, 6), "an unknown kind of PNG"
            step = 3 if colour == 2 else 4
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    raw = zlib.decompress(packed)
    before = bytearray(width * step)
    for y in range(height):
        start = y * (width * step + 1)
        row = bytearray(raw[start + 1:start + 1 + width * step])
        unfilter(raw[start], row, before, step)
        before = row
        yield [bytes(row[x:x + 3]) for x in range(0, len(row), step)]


def unfilter(how, row, before, step):
    for i, value in enumerate(row):
        left = row[i - step] if i >= step else 0
        above = before[i]
        corner = before[i - step] if i >= step else 0
        if how == 1:
            value += left
        elif how == 2:
            value += above
        elif how == 3:
            value += (left + above) // 2
        elif how == 4:
            guess = left + above - corner
            value += min((left, above, corner),
                         key=lambda near: abs(guess - near))
        row[i] = value & 255


def colours(file):
    rows = list(itertools.islice(pixels(file), TOP))
    print(len({pixel for row in rows for pixel in row}),
          sum(rows[0][0]) // 3)


def log():
    for entry in session("POST", "/se/log", {"type": "browser"}):
        print(entry["level"], entry["message"])


def close():
    session("DELETE", "")


COMMANDS = {"open": begin, "go": go, "run": run, "until": until, "media": media,
            "deny": deny, "size": size, "shot": shot, "colours": colours,
            "log": log, "close": close}

if __name__ == "__main__":
    words = sys.argv[1:]
    while words:
        end = words.index("and") if "and" in words else len(words)
        if words[0] not in COMMANDS:
            break
        COMMANDS[words[0]](*words[1:end])
        words = words[end + 1:]
    else:
        sys.exit(0 if len(sys.argv) > 1 else __doc__)
    sys.exit(__doc__)
