"""The summary as one SVG picture: for each workload a group of bars, the cost
of each proxy as a ratio to the best peer."""
from xml.sax.saxutils import escape

COLOURS = {
    "weir": "#1b6ca8", "weir-copy": "#5fa8d3", "weir-1": "#7fb7d9",
    "weir-5": "#a9cfe6", "weir-count": "#3d8b7d",
    "weir-limits": "#8a6fb0", "nginx": "#7a9a3a",
    "haproxy": "#d98c3f", "haproxy-splice": "#b5523b",
}
BAR = 22
GAP = 34
LEFT = 60
TOP = 90
HEIGHT = 300
BOTTOM = 60
TICKS = 0.25


def text(x, y, words, size=12, anchor="middle", colour="#222"):
    return ('<text x="%.1f" y="%.1f" font-size="%d" text-anchor="%s" '
            'fill="%s">%s</text>' % (x, y, size, anchor, colour,
                                     escape(words)))


def rect(x, y, width, height, colour):
    return ('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>'
            % (x, y, width, height, colour))


def line(x1, x2, y, colour):
    return ('<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s"/>'
            % (x1, x2, y, y, colour))


def vertical(x, y1, y2):
    return ('<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="#222"/>'
            % (x, x, y1, y2))


def height_of(ratio, top):
    return HEIGHT * min(ratio, top) / top


def group(work, x, top):
    """The bars of one workload, and where the next one begins."""
    base = TOP + HEIGHT
    out = []
    begin = x
    for proxy, row in work["proxies"].items():
        found = row["to_best_peer"]["cost"]
        tall = height_of(found["median"], top)
        out.append(rect(x, base - tall, BAR - 3, tall, COLOURS[proxy]))
        middle = x + (BAR - 3) / 2
        out.append(vertical(middle, base - height_of(found["min"], top),
                            base - height_of(found["max"], top)))
        out.append(text(middle, base - height_of(found["max"], top) - 4,
                        "%.2f" % found["median"], 9))
        x += BAR
    middle = (begin + x) / 2
    out.append(text(middle, base + 18, work["title"], 11))
    out.append(text(middle, base + 33, work["unit"], 10, colour="#666"))
    return out, max(x, begin + 6 * BAR) + GAP


def legend(titles, shown, width):
    out = []
    x, y = LEFT, 44
    for proxy in shown:
        need = 26 + 7 * len(titles[proxy])
        if x + need > width:
            x, y = LEFT, y + 18
        out.append(rect(x, y - 10, 12, 12, COLOURS[proxy]))
        out.append(text(x + 17, y, titles[proxy], 12, "start"))
        x += need
    return out


def scale(width, top):
    out = []
    for step in range(int(top / TICKS) + 1):
        ratio = step * TICKS
        y = TOP + HEIGHT - height_of(ratio, top)
        out.append(line(LEFT, width - 20, y,
                        "#888" if ratio == 1 else "#e4e4e4"))
        out.append(text(LEFT - 6, y + 4, "%.2f" % ratio, 10, "end", "#666"))
    return out


def draw(result):
    """The picture as text."""
    works = result["summary"]["workloads"].values()
    highest = max(row["to_best_peer"]["cost"]["max"] for work in works
                  for row in work["proxies"].values())
    top = min(3.0, (int(highest / TICKS) + 1) * TICKS)
    bars, shown, x = [], [], LEFT + 14
    for work in works:
        drawn, x = group(work, x, top)
        bars += drawn
        shown += [name for name in work["proxies"] if name not in shown]
    shown.sort(key=list(COLOURS).index)
    width, height = max(x, 640), TOP + HEIGHT + BOTTOM
    head = ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
            'viewBox="0 0 %d %d" font-family="sans-serif">'
            % (width, height, width, height))
    title = text(LEFT, 22, "Cost of a unit of work (CPU time; idle: private "
                 "memory) as a ratio to the best peer; less is better",
                 15, "start")
    return "\n".join([head, rect(0, 0, width, height, "#ffffff"), title,
                      *legend(result["proxies"], shown, width - 20),
                      *scale(width, top), *bars, "</svg>", ""])
