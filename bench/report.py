"""The summary as a table for people, and as the one of README."""
import summary
import workloads

COLUMNS = ["workload", "proxy", "cost", "unit", "rate/s", "p50 us", "p99 us",
           "cost to best peer", "p50", "wanted: measured"]


def number(value):
    """Three figures, and all that stand before the point."""
    if value >= 100:
        return "%.0f" % value
    return "%.1f" % value if value >= 10 else "%.2f" % value


def median_of(row, figure):
    found = row["figures"].get(figure)
    return number(found["median"]) if found else "-"


def ratio_of(found):
    if found is None:
        return "-"
    return "%.2f (%.2f-%.2f)" % (found["median"], found["min"], found["max"])


def measured_text(target):
    """The median; three places where fewer would belie what is met."""
    median = target["measured"]["median"]
    text = ("%.0f" if target["against"] is None else "%.2f") % median
    seems = summary.meets(float(text), target["most"], target["below"])
    return text if seems == target["met"] else "%.3f" % median


def target_text(target):
    return "%s: %s %s" % (target["words"], measured_text(target),
                          "met" if target["met"] else "NOT MET")


def rows(result):
    """The lines of the table, as lists of words."""
    titles = result["proxies"]
    for name, work in result["summary"]["workloads"].items():
        first = work["title"]
        for proxy, row in work["proxies"].items():
            wanted = [target_text(target)
                      for target in result["summary"]["targets"]
                      if (target["workload"], target["proxy"]) == (name, proxy)]
            best = row["to_best_peer"]
            half = best.get("p50_us")
            yield [first, titles[proxy], median_of(row, "cost"), work["unit"],
                   median_of(row, "rate"), median_of(row, "p50_us"),
                   median_of(row, "p99_us"), ratio_of(best["cost"]),
                   "%.2f" % half["median"] if half else "-",
                   "; ".join(wanted)]
            first = ""


def aligned(lines, left):
    """Lines of words as text; the columns of numbers end at the right."""
    widths = [max(len(line[i]) for line in lines)
              for i in range(len(lines[0]))]
    for line in lines:
        yield "  ".join(
            word.ljust(width) if i in left else word.rjust(width)
            for i, (word, width) in enumerate(zip(line, widths))).rstrip()


def table(result):
    lines = list(aligned([COLUMNS, *rows(result)], left=(0, 1, 3, 9)))
    lines.insert(1, "-" * max(len(line) for line in lines))
    return "\n".join([*machine_lines(result), ""] + lines + [
        "", "cost: the proxy's own CPU time a unit, or private memory a "
        "channel, in the median;",
        "ratios: median (least-most) of the rounds, to the peer whose median "
        "is best."])


def costs(result):
    """Of each workload one line: the costs of all proxies side by side."""
    names = ["weir", *workloads.PEERS]
    lines = [["workload", "unit", "weir", "nginx", "HAProxy", "splice",
              "ratio"]]
    for work in result["summary"]["workloads"].values():
        found = work["proxies"]
        best = found["weir"]["to_best_peer"]["cost"]["median"]
        lines.append([work["title"], work["unit"],
                      *(median_of(found[name], "cost") for name in names),
                      "%.2f" % best])
    return aligned(lines, left=(0, 1))


def targets(result):
    """Of each target one line."""
    lines = [["workload", "proxy", "wanted", "found", ""]]
    for target in result["summary"]["targets"]:
        work = result["summary"]["workloads"][target["workload"]]
        lines.append([work["title"], target["proxy"], target["words"],
                      measured_text(target),
                      "met" if target["met"] else "not met"])
    return aligned(lines, left=(0, 1, 2, 4))


def readme(result):
    """What README has under "Compared", below the words."""
    text = [*costs(result), "", *targets(result), "", *machine_lines(result)]
    return "\n".join("    " + line if line else "" for line in text)


def machine_lines(result):
    machine = result["machine"]
    works = result["summary"]["workloads"].values()
    return ["%d x %s, %.0f GiB, Linux %s" % (
                machine["cores"], machine["cpu"], machine["memory_gib"],
                machine["kernel"]),
            ", ".join(result["versions"].values()),
            "%s: %s" % (result["date"], result["command"]),
            "%d rounds, %d of them undisturbed by other programs; %d idle "
            "channels" % (sum(work["rounds"] for work in works),
                          sum(work["quiet"] for work in works),
                          result["idle_channels"])]
