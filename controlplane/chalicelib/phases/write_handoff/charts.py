"""Charts as SVG. The only module that imports the plotting library (docs/decisions/402-charts-in-a-lambda.md).

pygal draws; its own styles and scripts are taken out, because one stylesheet of the page serves all charts, in the
light, in the dark and in print. Each series has a role, which is its CSS class there.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

import pygal
from pygal.style import Style

from .markup import Markup, join, tag

Point = tuple[float, float]
_WIDTH, _HEIGHT = 440, 230  # small, so that the text is readable on a telephone
_STYLE = Style(label_font_size=12, major_label_font_size=12, legend_font_size=12, title_font_size=12)
_BAR_HEIGHT = 22
_MOST_LABELS = 9
_DROPPED = ("defs", "desc", "title", "script", "style")

# pygal's finder of map plugins has no find_spec, which other importers (pytest's) call without asking.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]


@dataclass(frozen=True, slots=True)
class Axis:
    """title: with the unit. labels: (text, value), () for round numbers. bounds: lowest and highest value."""

    title: str = ""
    labels: tuple[tuple[str, float], ...] = ()
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One series. role: a CSS class of report.css. values: what the chart takes."""

    name: str
    role: str
    values: Sequence[Any]
    dots: bool = False
    secondary: bool = False


def lines(label: str, x: Axis, y: Axis, series: Sequence[Series]) -> Markup:
    """Lines through points (x, y). label: for screen readers."""
    options: dict[str, Any] = {"show_x_guides": False, "stroke": True}
    if x.labels:
        options["x_labels"] = _labels(x)
    if y.labels:
        options["y_labels"] = _labels(y)
    if y.bounds:
        options["range"] = y.bounds
    if x.bounds:
        options["xrange"] = x.bounds
    return _drawn(pygal.XY, label, x, y, series, **options)


def bins(label: str, x: Axis, y: Axis, series: Sequence[Series]) -> Markup:
    """A histogram; values: (height, from, to)."""
    return _drawn(pygal.Histogram, label, x, y, series, x_labels=_labels(x))


def stacked(label: str, names: Sequence[str], x: Axis, y: Axis, series: Sequence[Series]) -> Markup:
    """Stacked bars; names: of the bars, of which about nine are written."""
    every = max(1, -(-len(names) // _MOST_LABELS))
    labels = {"x_labels": list(names), "x_labels_major_every": every, "show_minor_x_labels": False}
    return _drawn(pygal.StackedBar, label, x, y, series, **labels)


def bars(label: str, names: Sequence[str], x: Axis, y: Axis, series: Sequence[Series]) -> Markup:
    """Bars beside each other, a group for each name; secondary series have an axis of their own at the right."""
    options: dict[str, Any] = {"x_labels": list(names), "include_x_axis": True}
    if second := [value for each in series if each.secondary for value in each.values]:
        options |= {"range": (0, _most(series)), "secondary_range": (0, max(second))}
    return _drawn(pygal.Bar, label, x, y, series, **options)


def _most(series: Sequence[Series]) -> float:
    return max(float(value) for each in series if not each.secondary for value in each.values)


def spans(label: str, names: Sequence[str], x: Axis, series: Sequence[Series]) -> Markup:
    """Horizontal bars from the top down. The first series is the empty space before each bar."""
    upwards = [Series(each.name, each.role, list(reversed(each.values))) for each in series]
    height = 70 + _BAR_HEIGHT * len(names)
    labels = {"x_labels": list(reversed(names)), "height": height}
    return _drawn(pygal.HorizontalStackedBar, label, x, Axis(), upwards, **labels)


def _labels(axis: Axis) -> list[dict[str, object]]:
    return [{"label": label, "value": value} for label, value in axis.labels]


def _drawn(kind: Any, label: str, x: Axis, y: Axis, series: Sequence[Series], **options: Any) -> Markup:
    """pygal has no types, so its classes and options are Any."""
    settings = {"width": _WIDTH, "height": _HEIGHT} | options
    chart = kind(
        style=_STYLE,
        js=[],
        margin=6,
        spacing=8,
        truncate_label=-1,
        show_legend=False,
        disable_xml_declaration=True,
        x_title=x.title or None,
        y_title=y.title or None,
        max_scale=6,
        value_formatter=lambda value: f"{value:.4g}",
        x_value_formatter=lambda value: f"{value:.4g}",
        **settings,
    )
    for each in series:
        chart.add(each.name, list(each.values), show_dots=each.dots, secondary=each.secondary)
    roles = {f"color-{place}": each.role for place, each in enumerate(series)}
    chart.add_xml_filter(lambda root: _cleaned(root, label, roles))
    return join([Markup(chart.render(is_unicode=True)), _legend(series)])


def _legend(series: Sequence[Series]) -> Markup:
    """As HTML, whose text wraps and grows with the reader's; "" for a single series."""
    named = [each for each in series if each.name]
    entries = [tag("li", each.name, class_=f"key {each.role}") for each in named]
    return tag("ul", entries, class_="legend") if len(named) > 1 else Markup()


def _cleaned(root: Element, label: str, roles: Mapping[str, str]) -> Element:
    """The chart without pygal's scripts, styles, ids and comments, and with our classes."""
    for parent in list(root.iter()):
        for child in list(parent):
            if not isinstance(child.tag, str) or child.tag in _DROPPED:
                parent.remove(child)
    for element in root.iter():
        element.attrib.pop("id", None)
        classes = [roles.get(name, name) for name in _classes(element)]
        if classes:
            element.set("class", " ".join(classes))
    root.attrib.update({"class": "chart", "role": "img", "aria-label": label})
    return root


def _classes(element: Element) -> list[str]:
    return element.get("class", "").split()
