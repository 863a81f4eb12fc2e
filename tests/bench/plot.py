"""Draws the ratios of a report of `run` as an SVG beside it: how far above or below others, and where the bars are.

Standard library alone. Reads the Markdown table, so that a report and its picture cannot disagree.
"""

import math
import re
import sys
from html import escape

LEFT, WIDTH, ROW = 460, 460, 24
SPAN = (0.05, 20.0)


def rows(text):
    """What was measured, its ratio and its bar, of each row that has a ratio."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 6 or cells[0] in ("measurement", "---"):
            continue
        ratio = re.match(r"[0-9.]+", cells[3])
        if ratio and float(ratio.group()) > 0:
            bar = re.match(r"([0-9.]+)x", cells[4])
            yield cells[0], float(ratio.group()), float(bar.group(1)) if bar else None, "**" in cells[5]


def place(ratio):
    """Where a ratio is, from left to right, each doubling as far as the next."""
    low, high = map(math.log, SPAN)
    return LEFT + WIDTH * (min(max(math.log(ratio), low), high) - low) / (high - low)


def draw(found):
    height = ROW * len(found) + 60
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 80} {height}" font-family="system-ui, sans-serif" font-size="12">',
        "<title>Packhouse beside others: ratios of one run, each scale of its own kind; a tick is the bar</title>",
        '<style>text { fill: #333 } .grid { stroke: #ccc } .fine { fill: #2f7d4f } .short { fill: #b4532a } .bar { stroke: #111; stroke-width: 2 }',
        "@media (prefers-color-scheme: dark) { text { fill: #ddd } .grid { stroke: #555 } .bar { stroke: #fff } }</style>",
    ]
    for ratio in (0.1, 0.25, 0.5, 1, 2, 4, 10):
        x = place(ratio)
        out.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="28" y2="{height - 12}"/>')
        out.append(f'<text x="{x:.1f}" y="20" text-anchor="middle">{ratio:g}x</text>')
    for at, (what, ratio, bar, missed) in enumerate(found):
        y = 36 + at * ROW
        begin, end = sorted((place(1), place(ratio)))
        kind = "short" if missed or (bar is None and ratio < 1) else "fine"
        out.append(f'<text x="{LEFT - 20}" y="{y + 12}" text-anchor="end">{escape(what)}</text>')
        out.append(f'<rect class="{kind}" x="{begin:.1f}" y="{y + 2}" width="{max(end - begin, 2):.1f}" height="13"/>')
        if bar:
            out.append(f'<line class="bar" x1="{place(bar):.1f}" x2="{place(bar):.1f}" y1="{y - 1}" y2="{y + 18}"/>')
        out.append(f'<text x="{LEFT + WIDTH + 12}" y="{y + 12}">{ratio:g}</text>')
    return "\n".join([*out, "</svg>", ""])


def main():
    report = sys.argv[1]
    with open(report, encoding="utf-8") as file:
        found = list(rows(file.read()))
    if found:
        with open(re.sub(r"(\.md)?$", ".svg", report, count=1), "w", encoding="utf-8") as file:
            file.write(draw(found))


main()
