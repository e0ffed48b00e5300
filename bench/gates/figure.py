"""The figure of docs/gates.md: the share of rollouts that are stopped, by the requests of either side until then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM, _RIGHT = 760, 400, 56, 24, 48, 20
_COLOURS = ("#c4392f", "#2f6fde", "#1f8a4c", "#98a2b3", "#b7791f")


def draw(stops: Mapping[str, Sequence[int | None]], most: int, fixed: int, fixed_label: str) -> str:
    """An SVG. stops: by scenario, requests until each rollout's stop (None: never). most: right end of the axis."""
    lines = [
        _curve(name, values, most, colour, number)
        for number, ((name, values), colour) in enumerate(zip(stops.items(), _COLOURS, strict=False))
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'aria-label="Share of rollouts stopped, by requests" font-family="system-ui,sans-serif" font-size="12">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>{_axes(most)}{_mark(fixed, fixed_label, most)}'
        f"{''.join(lines)}</svg>\n"
    )


def _x(requests: float, most: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * requests / most


def _y(share: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share)


def _axes(most: int) -> str:
    rows = "".join(
        f'<line x1="{_LEFT}" y1="{_y(share):.1f}" x2="{_WIDTH - _RIGHT}" y2="{_y(share):.1f}" stroke="#d9dee7"/>'
        f'<text x="{_LEFT - 8}" y="{_y(share) + 4:.1f}" text-anchor="end" fill="#5d6778">{share * 100:.0f} %</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    ticks = "".join(
        f'<text x="{_x(at, most):.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle" fill="#5d6778">{at:,}</text>'
        for at in range(0, most + 1, 500)
    )
    title = (
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 8}" text-anchor="middle" fill="#1c2330">requests of either side</text>'
    )
    return rows + ticks + title


def _mark(at: int, label: str, most: int) -> str:
    x = _x(at, most)
    return (
        f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{_HEIGHT - _BOTTOM}" stroke="#1c2330" stroke-dasharray="4"/>'
        f'<text x="{x + 6:.1f}" y="{_TOP + 12}" fill="#1c2330">{escape(label)}</text>'
    )


def _curve(name: str, values: Sequence[int | None], most: int, colour: str, number: int) -> str:
    points, share = [(0, 0.0)], 0.0
    for at in sorted(value for value in values if value is not None):
        points += [(at, share), (at, share := share + 1 / len(values))]
    points.append((most, share))
    path = " ".join(f"{_x(at, most):.1f},{_y(height):.1f}" for at, height in points)
    y = _y(0.62) + 18 * number
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        f'<rect x="{_WIDTH - 330}" y="{y - 9:.1f}" width="12" height="4" fill="{colour}"/>'
        f'<text x="{_WIDTH - 312}" y="{y:.1f}" fill="#1c2330">{escape(name)}: {share * 100:.2f} % stopped</text>'
    )
