"""Does the comparison work?  A tiny run that looks at the form of what comes
out, never at the figures; TAP."""
import glob
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import process
import proxies
import report
import summary
import workloads


class Claims:
    """Results, numbered."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def none(self, words, found):
        """Good when nothing was found."""
        self.count += 1
        print("%s %d - %s" % ("not ok" if found else "ok", self.count, words))
        for finding in found:
            self.failed = 1
            print("# %s" % str(finding).replace("\n", "\n# "))

    def end(self):
        print("1..%d" % self.count)
        return self.failed


def figures_wrong(result):
    """Figures that are missing or no positive number."""
    for work in workloads.WORKLOADS:
        wanted = {"cost", "units"}
        if not isinstance(work, workloads.Idle):
            wanted |= {"rate", "cpu_ns"}
        if isinstance(work, workloads.Requests):
            wanted |= {"p50_us", "p99_us"}
        rounds = result["measured"].get(work.name, [])
        if not rounds:
            yield "%s has no rounds" % work.name
        for row in rounds:
            for proxy in work.proxies:
                for figure in wanted:
                    value = row.get(proxy, {}).get(figure)
                    if not isinstance(value, (int, float)) or value <= 0:
                        yield "%s, %s: %s is %s" % (work.name, proxy, figure,
                                                    value)


def rows_missing(result, text):
    """Rows that the table lacks."""
    lines = text.splitlines()
    for work in workloads.WORKLOADS:
        if not any(line.startswith(work.title) for line in lines):
            yield "no line begins with %s" % work.title
    shown = len(list(report.rows(result)))
    wanted = sum(len(work.proxies) for work in workloads.WORKLOADS)
    if shown != wanted:
        yield "%d rows instead of %d" % (shown, wanted)
    wanted = sum(line.count(" met") + line.count("NOT MET") for line in lines)
    if wanted != len(result["summary"]["targets"]):
        yield "%d targets in the table" % wanted


def chart_wrong(result, path):
    """A picture that is none, or lacks bars."""
    tree = xml.etree.ElementTree.parse(path)
    bars = len(tree.findall(".//{http://www.w3.org/2000/svg}rect"))
    if bars <= len(list(report.rows(result))):
        yield "it has %d bars" % bars


def left(directory):
    """What still runs there, and directories that were not taken away."""
    for link in glob.glob("/proc/[0-9]*/cwd"):
        try:
            where = os.readlink(link)
        except OSError:
            continue
        if where.startswith(directory + "/"):
            yield "%s is %s" % (link, where)
    yield from glob.glob(os.path.join(directory, "weir-bench-*"))


def stopped_run(options, directory):
    """What is left when a run is stopped in the middle."""
    child = subprocess.Popen(
        [sys.executable, sys.argv[0], "--weir", options.weir, "--only",
         "pingpong", "--output", directory],
        env=dict(os.environ, TMPDIR=directory), stderr=subprocess.PIPE)
    said = child.stderr.readline()
    child.send_signal(signal.SIGINT)
    said += child.stderr.read()
    child.stderr.close()
    if child.wait() != 128 + signal.SIGINT:
        yield "status %d: %s" % (child.returncode, said.decode())
    yield from left(directory)


def stubborn_left(directory):
    """What is left of a process that, as its child, does not want to end."""
    herd = process.Herd(directory)
    out, kept = os.pipe()
    child = herd.start("stubborn", [
        "sh", "-c", "trap '' TERM; sleep 60 & echo up; wait"],
        stdout=subprocess.PIPE, pass_fds=[kept])
    os.close(kept)
    herd.line(child, process.START_SECONDS)
    herd.end(child, 0.1)
    # The pipe ends with the last process that has it.
    if not select.select([out], [], [], process.END_SECONDS)[0]:
        yield "the child of a killed process runs on"
    os.close(out)


def late_worker(directory):
    """A process that forks late, and one that does not."""
    herd = process.Herd(directory)
    child = herd.start("late", [
        "sh", "-c", "trap '' TERM; read go; sleep 60 & wait"])
    try:
        herd.await_family(child, 2, 0.1)
        yield "one process is taken for two"
    except process.Trouble as trouble:
        if "late does not become 2 processes" not in str(trouble):
            yield trouble
    child.stdin.write(b"go\n")
    herd.await_family(child, 2)
    herd.end(child, 0)


def refusal_lost(options, directory):
    """What is not said of a configuration that weir refuses."""
    bad = proxies.Weir(os.path.abspath(options.weir), "weir-bad", "weir, bad",
                       '{ type = "nonsense"; },')
    try:
        bad.check(process.Herd(directory))
        yield "it passes"
    except process.Trouble as trouble:
        for words in ("weir, bad", "weir-bad.conf", "nonsense"):
            if words not in str(trouble):
                yield "\"%s\" is not in: %s" % (words, trouble)


def rounding_wrong():
    """Targets that rounding decides, or a table that hides it."""
    for cost, most, against, below, wanted in (
            (0.951, 0.95, "nginx", False, "0.951 NOT MET"),
            (0.95, 0.95, "nginx", False, "0.95 met"),
            (0.999, 1.00, "nginx", True, "0.999 met"),
            (1.0, 1.00, "nginx", True, "1.00 NOT MET"),
            (512.3, 512, None, False, "512.300 NOT MET"),
            (512, 512, None, False, "512 met")):
        target = summary.Target("up", "weir", "cost", most, against, below)
        row = {"weir": {"cost": cost}, "nginx": {"cost": 1.0}}
        said = report.target_text(summary.target_summary([row], target))
        if not said.endswith(": " + wanted):
            yield "%s instead of %s" % (said, wanted)


def unrest(directory):
    """A look that does not wait for the end of a change."""
    herd = process.Herd(directory)
    child = herd.start("resting", ["sleep", "60"])
    figures = iter([1, 2, 3, 3, 4])
    found = proxies.Running(None, herd, child, {}).look(
        lambda _: next(figures))
    if found != 3:
        yield "%d is taken for rest" % found
    herd.end(child)


def run(bench, options):
    claims = Claims()
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        options.output = tempfile.tempdir = directory
        try:
            result = bench(options)
        except process.Trouble as trouble:
            claims.none("every workload runs with every proxy", [trouble])
            return claims.end()
        claims.none("every workload runs with every proxy", [])
        with open(os.path.join(directory, "bench.json")) as saved:
            saved = json.load(saved)
        claims.none("bench.json has all figures", list(figures_wrong(saved)))
        claims.none("the table has all rows",
                    list(rows_missing(saved, report.table(saved))))
        claims.none("the tables of README can be made of it",
                    [] if report.readme(saved) else ["they are empty"])
        claims.none("the chart is one", list(chart_wrong(
            saved, os.path.join(directory, "bench.svg"))))
        claims.none("nothing is left", list(left(directory)))
        claims.none("nor is anything of a run that is stopped",
                    list(stopped_run(options, directory)))
        claims.none("nor of a process that does not want to end",
                    list(stubborn_left(directory)))
        claims.none("a worker that comes late is awaited",
                    list(late_worker(directory)))
        claims.none("a configuration that weir refuses is trouble",
                    list(refusal_lost(options, directory)))
        claims.none("a target is met before its figure is rounded",
                    list(rounding_wrong()))
        claims.none("a proxy is looked at when it rests",
                    list(unrest(directory)))
    tempfile.tempdir = None
    return claims.end()
