"""Heads of requests and responses, parsed from raw bytes by the grammar of RFC 9112.

Why not the standard library's parser: it is an e-mail parser, which takes a bare CR for a line's end and drops lines
that it does not understand, so that two programs see two different heads. h11 would do, but costs more time for each
head than the whole proxy does (decision 105). A request must follow the grammar exactly. A response may deviate where
servers do and where only one reading is possible: bare LF, folded lines, a blank before the colon.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_HEAD = 65_536  # bytes; what nginx, Node and Go accept lies between 16 and 1,024 KiB
MAX_FIELDS = 100
MAX_LINE = 16_384  # bytes of a request line
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([!-~]+) HTTP/([0-9])\.([0-9])").fullmatch
_HOST = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?").fullmatch
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [^\r\n]*)?").fullmatch
# A value has no control character but the tab; blanks around it do not belong to it.
_FIELD = rb"(" + _TOKEN + rb"):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*\r\n"
_FIELDS = re.compile(rb"(?:" + _TOKEN + rb":[^\x00-\x08\x0a-\x1f\x7f]*+\r\n)*+").fullmatch
_each_field = re.compile(_FIELD).findall
_BARE_LINE_END = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)").search
_RESPONSE_FIELD = re.compile(rb"(" + _TOKEN + rb")[ \t]*:[ \t]*(.*?)[ \t]*\Z", re.DOTALL).match
_FOLD = re.compile(rb"\r?\n([ \t])")
_OPTION = re.compile(r"[^\s,]+").findall


class HeadError(ValueError):
    """A head that is none. `status`: what a request with it is answered with; `message`: why, without its text."""

    def __init__(self, status: int, message: str, code: str = "malformed_request") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


Fields = list[tuple[str, str]]


@dataclass(slots=True)
class RequestHead:
    """A request's line and header fields, names in lower case; texts are latin-1, so no byte is lost."""

    method: str
    target: str
    minor: int  # of HTTP/1.x
    fields: Fields = field(default_factory=list)

    def values(self, name: str) -> list[str]:
        """All values of a field, by its lower-case name."""
        return [value for key, value in self.fields if key == name]


@dataclass(slots=True)
class ResponseHead:
    """A response's status and header fields, names in lower case."""

    status: int
    minor: int
    fields: Fields

    def value(self, name: str) -> str | None:
        """The first value of a field, by its lower-case name."""
        for key, value in self.fields:
            if key == name:
                return value
        return None


def end_of_request_head(data: bytes | bytearray) -> int:
    """Where the head's empty line ends; -1 while it has not arrived. Raises HeadError when it never can."""
    end = data.find(b"\r\n\r\n")
    if _BARE_LINE_END(data, 0, end if end >= 0 else len(data)):
        raise HeadError(400, "A line of the request's head does not end in CR LF.", "invalid_header")
    if (len(data) if end < 0 else end) > MAX_HEAD:
        raise _too_long(data)
    return end + 4 if end >= 0 else -1


def _too_long(data: bytes | bytearray) -> HeadError:
    if b"\r\n" not in data[:MAX_LINE]:
        return HeadError(414, "The request's first line is too long.")
    return HeadError(431, "The request's head is too long.")


def parse_request(head: bytes) -> RequestHead:
    """A request's head up to and with its empty line. Raises HeadError."""
    line, _, rest = head.partition(b"\r\n")
    parsed = parse_request_line(line)
    parsed.fields = _request_fields(rest[:-2])
    _check_host(parsed)
    return parsed


def parse_request_line(line: bytes) -> RequestHead:
    """A request's first line, without its end. Raises HeadError."""
    if len(line) > MAX_LINE:
        raise HeadError(414, "The request's first line is too long.")
    match = _REQUEST_LINE(line)
    if match is None:
        raise HeadError(*_why_no_request(line))
    method, target, major, minor = match.groups()
    if major != b"1":
        raise HeadError(505, "Only HTTP/1.1 and HTTP/1.0 are understood here.")
    return RequestHead(method.decode(), target.decode(), min(int(minor), 1))


def _why_no_request(line: bytes) -> tuple[int, str]:
    if re.fullmatch(rb"(?:GET|HEAD|POST) [!-~]+", line):  # HTTP/0.9, which has no headers to answer with
        return 505, "Only HTTP/1.1 and HTTP/1.0 are understood here."
    return 400, "The request's first line is not METHOD TARGET HTTP/VERSION."


def _request_fields(block: bytes) -> Fields:
    if not _FIELDS(block):
        raise HeadError(400, "A header of the request is malformed.", "invalid_header")
    fields = [(name.decode().lower(), value.decode("latin-1")) for name, value in _each_field(block)]
    if len(fields) > MAX_FIELDS:
        raise HeadError(431, f"The request has more than {MAX_FIELDS} headers.")
    return fields


def _check_host(head: RequestHead) -> None:
    """One Host (RFC 9112 section 3.2): with two, or none, this program and the next may choose differently."""
    hosts = head.values("host")
    if len(hosts) > 1 or (not hosts and head.minor == 1) or not all(map(_HOST, hosts)):
        raise HeadError(400, "The request must have one Host header, with a host and nothing else.", "invalid_header")


def end_of_response_head(data: bytes | bytearray) -> int:
    """Where the head's empty line ends; -1 while it has not arrived. Raises HeadError for a head without end."""
    end = data.find(b"\r\n\r\n")
    bare = data.find(b"\n\n", 0, end if end >= 0 else len(data))
    if bare >= 0:
        return bare + 2
    if end < 0 and len(data) > MAX_HEAD:
        raise HeadError(502, "The response's head is too long.")
    return end + 4 if end >= 0 else -1


def parse_response(head: bytes) -> ResponseHead:
    """A response's head up to and with its empty line. Raises HeadError."""
    line, _, block = head.partition(b"\n")
    match = _STATUS_LINE(line.rstrip(b"\r"))
    if match is None:
        raise HeadError(502, "The response's first line is no status line.")
    return ResponseHead(int(match[2]), int(match[1]), _response_fields(block))


def _response_fields(block: bytes) -> Fields:
    if block.endswith(b"\r\n") and _FIELDS(block[:-2]):  # nearly always: it follows the grammar
        return [(name.decode().lower(), value.decode("latin-1")) for name, value in _each_field(block)]
    lines = _FOLD.sub(rb"\1", block).rstrip(b"\r\n").split(b"\n")
    return [_response_field(line) for line in lines if line.rstrip(b"\r")]


def _response_field(line: bytes) -> tuple[str, str]:
    match = _RESPONSE_FIELD(line.removesuffix(b"\r"))
    if match is None:
        raise HeadError(502, "A header of the response is malformed.")
    return match[1].decode().lower(), match[2].decode("latin-1")


def connection_options(fields: Fields) -> set[str]:
    """What the Connection fields name, in lower case: options such as `close`, and fields that must not pass."""
    options: set[str] = set()
    for name, value in fields:
        if name == "connection":
            options.update(_OPTION(value.lower()))
    return options
