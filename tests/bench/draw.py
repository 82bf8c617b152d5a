# SPDX-License-Identifier: Apache-2.0
"""Draws results as horizontal bars, one group a measurement, into one SVG."""
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, BAR, GAP, HEAD = 760, 130, 190, 18, 6, 34


def bars(groups, ours, path):
    parts, y = [], 16
    for group in groups:
        longest = max(row["high"] for row in group["rows"])
        scale = (WIDTH - LEFT - RIGHT) / longest
        parts.append(f'<text x="16" y="{y + 12}" class="title">{escape(group["title"])}</text>')
        y += HEAD
        for row in group["rows"]:
            kind = "ours" if row["name"] == ours else "floor" if row["name"] == "floor" else "peer"
            ratio = f", ours is {row['ratio']:.2f} of it" if row["ratio"] and row["name"] != ours else ""
            end = LEFT + row["wall"] * scale
            parts.append(f'<text x="{LEFT - 8}" y="{y + 13}" class="name">{escape(row["name"])}</text>'
                         f'<rect x="{LEFT}" y="{y}" width="{row["wall"] * scale:.1f}" height="{BAR}" class="{kind}"/>'
                         f'<line x1="{LEFT + row["low"] * scale:.1f}" x2="{LEFT + row["high"] * scale:.1f}" '
                         f'y1="{y + BAR / 2}" y2="{y + BAR / 2}" class="range"/>'
                         f'<text x="{max(end, LEFT + row["high"] * scale) + 8:.1f}" y="{y + 13}">{row["wall"]:.3f} s{ratio}</text>')
            y += BAR + GAP
        y += 16
    style = ("text{font:12px sans-serif;fill:#222}.title{font-weight:bold;font-size:13px}.name{text-anchor:end}"
             ".ours{fill:#2a6fbb}.peer{fill:#b8bec6}.floor{fill:#e3d9b8}.range{stroke:#333;stroke-width:1.5}")
    with open(path, "w", encoding="utf-8") as out:
        out.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}">'
                  f"<style>{style}</style><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>{''.join(parts)}</svg>\n")
