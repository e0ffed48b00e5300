"""Finds the parts called `model` of a multipart form (RFC 7578) in its bytes, by the grammar of RFC 2045 and 2046.

Clients write parameters in many ways: with and without quotes, with blanks around `=` and before `;`, a file name
beside.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.message import Body

MAX_PARTS = 1000
MAX_PART_HEAD = 16_384
MAX_NAME = 4096  # bytes of a model's name in a form; a longer part is a file
_PARAMETER = re.compile(r';[ \t]*(?:([^\s;="]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"?|[^;]*))?[ \t]*', re.DOTALL).match
_FOLD = re.compile(rb"\r\n[ \t]+")
_DISPOSITION = re.compile(rb"(?:\A|\r\n)content-disposition[ \t]*:([^\r\n]*)", re.IGNORECASE).search
_DELIMITER_END = re.compile(rb"(--)?[ \t]*(?:\r\n|\Z)").match


def parameters(value: str) -> dict[str, str]:
    """The parameters of a header's value by their lower-case names; the first of a name counts."""
    at = value.find(";")
    named: dict[str, str] = {}
    while at >= 0:
        match = _PARAMETER(value, at)
        if match is None:
            break
        if match[1]:
            named.setdefault(match[1].lower(), _unquoted(match[2]))
        at = value.find(";", match.end())
    return named


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text.strip(" \t")
    return re.sub(r"\\(.)", r"\1", text[1:].removesuffix('"'), flags=re.DOTALL)


def model_parts(content_type: str, body: Body) -> Iterator[tuple[int, int, str]]:
    """(start, end, text) of each part called `model`; nothing of a form that does not end where it should."""
    boundary = parameters(content_type).get("boundary", "")
    if not boundary:
        return
    delimiter = b"--" + boundary.encode("latin-1", "replace")  # what is no latin-1 is refused as a header
    for start, end in _parts(body, delimiter):
        content = _content_start(body, start, end)
        if content >= 0 and end - content <= MAX_NAME:
            yield content, end, bytes(body[content:end]).decode("utf-8", "replace").strip()


def _parts(body: Body, delimiter: bytes) -> Iterator[tuple[int, int]]:
    """(start, end) of each part, its head included."""
    start = -1
    for _ in range(MAX_PARTS):
        at, after, is_last = _next_delimiter(body, delimiter, start)
        if at < 0:
            return
        if start >= 0:
            yield start, at
        if is_last:
            return
        start = after


def _next_delimiter(body: Body, delimiter: bytes, start: int) -> tuple[int, int, bool]:
    """(where it begins, where what follows it begins, whether it is the last); -1 when there is none."""
    at = 0 if start < 0 and body.startswith(delimiter) else body.find(b"\r\n" + delimiter, max(0, start - 2))
    while at >= 0:
        text_end = at + len(delimiter) + (2 if body[at : at + 2] == b"\r\n" else 0)
        match = _DELIMITER_END(body, text_end)
        if match is not None:
            return at, match.end(), match[1] is not None
        at = body.find(b"\r\n" + delimiter, at + 2)  # a longer line that begins alike
    return -1, -1, True


def _content_start(body: Body, start: int, end: int) -> int:
    """Where the content of a part called `model` begins; -1 when it is called otherwise."""
    blank = body.find(b"\r\n\r\n", max(0, start - 2), end)
    if blank < 0 or blank - start > MAX_PART_HEAD:
        return -1
    head = _FOLD.sub(b" ", bytes(body[start:blank])) if blank > start else b""
    match = _DISPOSITION(head)
    if match is None or parameters(match[1].decode("utf-8", "replace")).get("name") != "model":
        return -1
    return blank + 4
