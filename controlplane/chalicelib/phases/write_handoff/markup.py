"""HTML whose text is always escaped: a string becomes markup in `tag` only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


class Markup(str):
    """HTML. Any other string is text, and is escaped."""

    __slots__ = ()


Content = str | Iterable[str]
NOTHING = Markup()
_SIGNS = {"good": "✓", "bad": "✕", "busy": "~", "skip": "»", "none": "○"}
_TONES = {
    **dict.fromkeys(("SUCCEEDED", "PASSED", "NOT_WORSE", "pass", "done"), "good"),
    **dict.fromkeys(("FAILED", "ROLLED_BACK", "ABORTED", "WORSE", "INVALID"), "bad"),
    **dict.fromkeys(("INCONCLUSIVE", "UNDECIDED", "NOT RUN", "RUNNING"), "busy"),
    "SKIPPED": "skip",
}


def join(content: Content) -> Markup:
    """All parts, one after the other."""
    parts = [content] if isinstance(content, str) else content
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def tag(name: str, *content: Content, **attributes: str) -> Markup:
    """`<name attributes>content</name>`. A trailing underscore of an attribute's name is dropped, others are dashes."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items() if value
    )
    return Markup(f"<{name}{shown}>{''.join(map(join, content))}</{name}>")


def badge(word: str) -> Markup:
    """A word of a verdict with its sign, so that no meaning hangs on colour alone; what follows a colon stays text."""
    first, _, rest = word.partition(": ")
    tone = _TONES.get(first, "none")
    mark = tag("span", f"{_SIGNS[tone]} {first.replace('_', ' ')}", class_=f"badge {tone}")
    return join([mark, tag("p", rest, class_="dim")]) if rest else mark


def table(head: Sequence[str], rows: Iterable[Sequence[Content]], numbers: Sequence[int] = ()) -> Markup:
    """A table; "" without rows. numbers: columns that are aligned to the right. Narrow screens stack its cells."""
    lines = [_row(head, row, numbers) for row in rows]
    if not lines:
        return NOTHING
    titles = [tag("th", name, scope="col", class_="num" if at in numbers else "") for at, name in enumerate(head)]
    return tag("table", tag("thead", tag("tr", titles)), tag("tbody", lines))


def _row(head: Sequence[str], row: Sequence[Content], numbers: Sequence[int]) -> Markup:
    cells = [tag("td", cell, data_label=head[at], class_="num" if at in numbers else "") for at, cell in enumerate(row)]
    return tag("tr", cells)


def facts(pairs: Iterable[tuple[str, Content]]) -> Markup:
    """A list of names and values; those without a value are left out."""
    return tag("dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs if value])


def section(title: str, *content: Content) -> Markup:
    """A section with a heading; "" when nothing is in it."""
    inside = join(map(join, content))
    return tag("section", tag("h2", title), inside) if inside else NOTHING


def figure(title: str, chart: Markup, note: Content = "") -> Markup:
    """A chart with its title; "" without a chart."""
    if not chart:
        return NOTHING
    caption = tag("figcaption", tag("b", title), tag("span", note) if note else NOTHING)
    return tag("figure", caption, chart)


def figures(*drawn: Markup) -> Markup:
    """Figures side by side where there is room."""
    inside = join(drawn)
    return tag("div", inside, class_="figures") if inside else NOTHING


def link(url: str) -> Markup:
    """A link; an address that is neither http nor https stays text."""
    return tag("a", url, href=url) if url.startswith(("https://", "http://")) else tag("span", url)
