"""Seeds and mutations. Everything is drawn from one random generator, so that a seed repeats a run."""

from __future__ import annotations

import gzip
import json
import random

CHAT = json.dumps({"model": "fast", "messages": [{"role": "user", "content": "hi"}]}).encode()
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nname="model"\r\n'
    b"--b\r\nContent-Disposition: form-data; name=model\r\n\r\nfast\r\n--b--\r\n"
)
HOST = b"Host: localhost\r\n"


def post(path: bytes, kind: bytes, body: bytes, more: bytes = b"") -> bytes:
    """A whole request."""
    head = b"POST " + path + b" HTTP/1.1\r\n" + HOST + b"Content-Type: " + kind + b"\r\n" + more
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunked(body: bytes) -> bytes:
    """A whole request whose body comes in chunks."""
    head = b"POST /v1/chat/completions HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
    pieces = [body[at : at + 9] for at in range(0, len(body), 9)]
    coded = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + coded + b"0\r\n\r\n"


REQUESTS = [
    b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /v1/models HTTP/1.1\r\n" + HOST + b"Connection: X-Hop, keep-alive\r\nX-Hop: 1\r\n\r\n",
    b"GET /v1/models HTTP/1.0\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET http://127.0.0.1/v1/models/fast HTTP/1.1\r\n" + HOST + b"\r\n",
    post(b"/v1/chat/completions", b"application/json", CHAT),
    post(b"/v1/chat/completions", b"application/json", gzip.compress(CHAT, mtime=0), b"Content-Encoding: gzip\r\n"),
    post(b"/v1/audio/transcriptions", b"multipart/form-data; boundary=b", FORM),
    post(b"/v1/files", b"application/octet-stream", b"\x00\xff" * 40, b"Expect: 100-continue\r\n"),
    post(b"/v1/responses?stream=true", b"application/json", CHAT, b"Upgrade: websocket\r\nConnection: upgrade\r\n"),
    chunked(CHAT),
]
RESPONSES = [
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"HTTP/1.1 401 X\r\nWWW-Authenticate: sk-upstream\r\nContent-Length: 11\r\n\r\nsk-upstream",
    b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {"choices":[]}\r\n\r\ndata: [DONE]\n\n',
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'14\r\ndata: {"error":{}}\r\r\r\n0\r\n\r\n',
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\r\n"
    + gzip.compress(b"{}", mtime=0),
    b"HTTP/1.1 307 X\r\nLocation: /v1/y\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 429 X\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 204 X\r\nSet-Cookie: a=b\r\n\r\n",
]
_LINE_ENDS = [b"\r\n", b"\r", b"\n", b"\r\n\r\n", b"0\r\n\r\n"]
_FIELDS = [
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"chunked",
    b"HTTP/1.1",
    b"model",
    b"data:",
    b"--b",
]
_CHARACTERS = [b":", b" ", b"\t", b"\x00", b"\xff", b'"', b"{", b"}", b"[" * 50, b"\\", b"9" * 30]
_WORDS = [*_LINE_ENDS, *_FIELDS, *_CHARACTERS]


def mutated(rnd: random.Random, seed: bytes) -> bytes:
    """A seed with some bytes changed, cut out, repeated or put in."""
    data = bytearray(seed)
    for _ in range(rnd.randrange(1, 5)):
        at = rnd.randrange(len(data) + 1)
        kind = rnd.randrange(5)
        if kind == 0 and data:
            data[at % len(data)] = rnd.randrange(256)
        elif kind == 1:
            del data[at : at + rnd.randrange(1, 20)]
        elif kind == 2:
            data[at:at] = rnd.choice(_WORDS)
        elif kind == 3:
            data[at:at] = data[at : at + rnd.randrange(1, 40)]
        else:
            data[at:at] = rnd.randbytes(rnd.randrange(1, 6))
    return bytes(data)
