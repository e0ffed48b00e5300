"""Finds the parts called `model` of a multipart form (RFC 7578) in its bytes, by the grammar of RFC 2045 and 2046.

Clients write parameters in many ways: with and without quotes, with blanks around `=` and before `;`, a file name
beside.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxy import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.message import Body

MAX_PARTS = 1000
MAX_LINES = 2 * MAX_PARTS  # that begin with the boundary, though content should hold none
MAX_PART_HEAD = 16_384
MAX_NAME = 4096  # bytes of a model's name in a form; a longer part is a file
_PARAMETER = re.compile(r';[ \t]*(?:([^\s;="]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"?|[^;]*))?[ \t]*', re.DOTALL).match
_FOLD = re.compile(rb"\r\n[ \t]+")
_each_disposition = re.compile(rb"(?:\A|\r\n)content-disposition[ \t]*:([^\r\n]*)", re.IGNORECASE).findall
_DELIMITER_END = re.compile(rb"(--)?[ \t]*(?:\r\n|\Z)").match
_LOOSE_DELIMITER_END = re.compile(rb"(?:--)?[ \t]*(\r?\n|\Z)").match
_blank_line = re.compile(rb"\r?\n\r?\n").search
_bare_line_end = re.compile(rb"(?<!\r)\n|\r(?!\n)").search


def parameters(value: str) -> list[tuple[str, str]]:
    """The parameters of a header's value in order: (lower-case name, value)."""
    at = value.find(";")
    result = []
    while at >= 0:
        match = _PARAMETER(value, at)
        if match is None:
            break
        if match[1]:
            result.append((match[1].lower(), _unquoted(match[2])))
        at = value.find(";", match.end())
    return result


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text.strip(" \t")
    return re.sub(r"\\(.)", r"\1", text[1:].removesuffix('"'), flags=re.DOTALL)


def model_parts(content_type: str, body: Body) -> Iterator[tuple[int, int, str]]:
    """(start, end, text) of each part called `model`. The text is empty where it is no name: longer, or without an end.

    Raises ProxyError 400 for a form that two programs may read in two ways.
    """
    boundaries = [value for name, value in parameters(content_type) if name == "boundary"]
    if len(boundaries) > 1:
        raise _ambiguous("names more than one boundary")
    if not boundaries or not boundaries[0]:
        return
    delimiter = b"--" + boundaries[0].encode("latin-1", "replace")  # what is no latin-1 is refused as a header
    for start, end, is_whole in _parts(body, delimiter):
        content = _content_start(body, start, end)
        if content < 0:
            continue
        is_name = is_whole and end - content <= MAX_NAME
        yield content, end, bytes(body[content:end]).decode("utf-8", "replace").strip() if is_name else ""


def _ambiguous(what: str) -> errors.ProxyError:
    return errors.bad_request(f"The multipart form of the request {what}.", "invalid_form")


def _parts(body: Body, delimiter: bytes) -> Iterator[tuple[int, int, bool]]:
    """(start, end, whether it ends with a delimiter) of each part, its head included. Raises ProxyError."""
    start, is_loose = -1, _has_other_line_ends(body, delimiter)
    for _ in range(MAX_PARTS + 1):
        at, after, is_last = _next_delimiter(body, delimiter, start)
        if start >= 0:
            yield start, at if at >= 0 else len(body), at >= 0
        if is_last:
            return
        if is_loose:
            raise _ambiguous("ends the lines of its boundaries in different ways")
        start = after
    raise _ambiguous(f"has more than {MAX_PARTS} parts")


def _has_other_line_ends(body: Body, delimiter: bytes) -> bool:
    """Whether there is a line that a program which lets lines end in a bare LF takes for a delimiter.

    Raises ProxyError for more such lines than parts can need.
    """
    at = 0 if body.startswith(delimiter) else _next_line(body, delimiter, 0)
    for _ in range(MAX_LINES):
        if at < 0:
            return False
        match = _LOOSE_DELIMITER_END(body, at + len(delimiter))
        if match is not None and (match[1] == b"\n" or (at > 0 and body[at - 2 : at] != b"\r\n")):
            return True
        at = _next_line(body, delimiter, at)
    raise _ambiguous(f"has more than {MAX_LINES} lines that begin with its boundary")


def _next_line(body: Body, start: bytes, at: int) -> int:
    """Where the next line with this beginning is; -1 when there is none."""
    return body.find(b"\n" + start, at) + 1 or -1


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
    """Where the content of a part called `model` begins; -1 when it is called otherwise. Raises ProxyError."""
    blank = _blank_line(body, max(0, start - 2), min(end, start + MAX_PART_HEAD))
    if blank is None:
        if end - start > MAX_PART_HEAD:
            raise _ambiguous(f"has a part whose head is longer than {MAX_PART_HEAD} bytes")
        return -1
    head = bytes(body[start : blank.start()])
    if blank[0] != b"\r\n\r\n" or _bare_line_end(head):
        raise _ambiguous("has a part with a line in its head that does not end in CR LF")
    return blank.end() if _is_models(_FOLD.sub(b" ", head)) else -1


def _is_models(head: bytes) -> bool:
    """Whether a part's head calls it `model`. Raises ProxyError when it may call it otherwise as well."""
    dispositions = [text.decode("utf-8", "replace") for text in _each_disposition(head)]
    pairs = [pair for text in dispositions for pair in parameters(text)]
    names = [value for name, value in pairs if name == "name"]
    # RFC 7578 section 4.2 forbids `name*`, which some programs read all the same.
    if len(names) > 1 or any(name.startswith("name*") for name, _ in pairs):
        raise _ambiguous("has a part with more than one name")
    return names == ["model"]
