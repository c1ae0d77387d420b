"""From the figures of all rounds to ratios, and what they are to be."""
import statistics

import workloads

QUIET = 0.10  # of all CPUs, that other programs may have in a measurement
LEAST = 3  # quiet rounds, without which all count
FIGURES = {"cost": min, "rate": max, "p50_us": min, "p99_us": min}


class Target:
    """What a figure of a proxy is to be: as a ratio to another proxy's in the
    same round ("best": of the peers), or in its own unit; "below": less than
    the most."""

    def __init__(self, workload, proxy, figure, most, against=None,
                 below=False):
        self.workload = workload
        self.proxy = proxy
        self.figure = figure
        self.most = most
        self.against = against
        self.below = below

    def words(self):
        name = "" if self.figure == "cost" else self.figure[:3] + " "
        if self.against is None:
            return "%s%g" % (name, self.most)
        return "%s%s%.2f of %s" % (name, "below " if self.below else "",
                                   self.most, self.against)


TARGETS = [
    Target("keepalive", "weir", "cost", 0.95, "best"),
    Target("keepalive", "weir-5", "cost", 1.03, "weir"),
    Target("keepalive", "weir-limits", "cost", 1.08, "weir"),
    Target("new", "weir", "cost", 0.88, "best"),
    Target("new", "weir-limits", "cost", 1.08, "weir"),
    Target("pingpong", "weir", "cost", 0.90, "best"),
    Target("pingpong", "weir", "p50_us", 1.00, "best"),
    Target("up", "weir", "cost", 0.60, "haproxy-splice"),
    Target("up", "weir", "cost", 0.45, "nginx"),
    Target("up", "weir-count", "cost", 1.00, "nginx", below=True),
    Target("down", "weir", "cost", 0.60, "haproxy-splice"),
    Target("down", "weir", "cost", 0.45, "nginx"),
    Target("down", "weir-count", "cost", 1.00, "nginx", below=True),
    Target("idle", "weir", "cost", 512),
    Target("idle", "weir-5", "cost", 768),
]


def quiet(rounds):
    """The rounds in which no measurement was disturbed."""
    return [row for row in rounds
            if all(found["others_cpu"] < QUIET for found in row.values())]


def counting(work, rounds):
    """The rounds that a summary is made of."""
    found = quiet(rounds)
    return found if len(found) >= min(work.rounds or LEAST, LEAST) else rounds


def spread(values):
    return {"median": statistics.median(values), "min": min(values),
            "max": max(values)}


def best_peer(rounds, figure):
    """The peer that has the best median of a run.  (The best of each round
    would be whoever was lucky in it.)"""
    return FIGURES[figure](
        workloads.PEERS,
        key=lambda name: statistics.median(row[name][figure]
                                           for row in rounds))


def ratios(rounds, proxy, figure, against):
    """One ratio a round."""
    if against == "best":
        against = best_peer(rounds, figure)
    return [row[proxy][figure] / row[against][figure] for row in rounds]


def proxy_summary(rounds, proxy):
    """Medians of one proxy's figures, and their ratios to the best peer."""
    out = {"figures": {}, "to_best_peer": {}}
    for figure in FIGURES:
        values = [row[proxy][figure] for row in rounds
                  if figure in row[proxy]]
        if values:
            out["figures"][figure] = spread(values)
            out["to_best_peer"][figure] = spread(
                ratios(rounds, proxy, figure, "best"))
    return out


def meets(value, most, below):
    """Is a value, as it is given, what a target wants?"""
    return value < most if below else value <= most


def target_summary(rounds, target):
    if target.against is None:
        values = [row[target.proxy][target.figure] for row in rounds]
    else:
        values = ratios(rounds, target.proxy, target.figure, target.against)
    found = spread(values)
    return {"workload": target.workload, "proxy": target.proxy,
            "figure": target.figure, "against": target.against,
            "most": target.most, "below": target.below,
            "words": target.words(), "measured": found,
            "met": meets(found["median"], target.most, target.below)}


def summarize(measured):
    """measured: workload -> list of rounds: proxy -> figures."""
    out = {"workloads": {}, "targets": []}
    counted = {}
    for work in workloads.WORKLOADS:
        if not measured.get(work.name):
            continue
        rounds = counting(work, measured[work.name])
        counted[work.name] = rounds
        out["workloads"][work.name] = {
            "title": work.title, "unit": work.unit,
            "rounds": len(measured[work.name]),
            "quiet": len(quiet(measured[work.name])),
            "counting": len(rounds),
            "best_peer": best_peer(rounds, "cost"),
            "proxies": {proxy: proxy_summary(rounds, proxy)
                        for proxy in rounds[0]}}
    for target in TARGETS:
        if target.workload in counted:
            out["targets"].append(
                target_summary(counted[target.workload], target))
    return out
