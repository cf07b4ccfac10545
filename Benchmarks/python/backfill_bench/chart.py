"""Bars of rows a second, as SVG."""

from html import escape

BAR, GAP, LEFT, WIDTH = 18, 8, 250, 760


def chart(rows: list[dict]) -> str:
    """Of each case that was run idle: a bar for each method, as long as it is fast."""
    cases: dict[str, dict[str, float]] = {}
    for row in rows:
        if row["metric"] == "rows/s" and row["case"].endswith("idle"):
            cases.setdefault(row["case"], {})[row["subject"]] = row["value"]
    parts: list[str] = []
    y = 20
    for case, speeds in cases.items():
        parts.append(f'<text x="0" y="{y}" font-weight="bold">{escape(case.split(",")[0])} rows: rows/s</text>')
        y += 12
        longest = max(speeds.values())
        for subject, speed in speeds.items():
            colour = "#2f6feb" if subject.startswith("sluice") else "#9aa4b2"
            width = (WIDTH - LEFT - 80) * speed / longest
            parts.append(f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(subject)}</text>')
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" rx="3" fill="{colour}"/>')
            parts.append(f'<text x="{LEFT + width + 6:.1f}" y="{y + 13}">{speed / 1000:.0f} k</text>')
            y += BAR + GAP
        y += 22
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" font-family="sans-serif" font-size="12">\n'
        + f'<rect width="{WIDTH}" height="{y}" fill="#ffffff"/>\n'
        + "\n".join(parts) + "\n</svg>\n"
    )
