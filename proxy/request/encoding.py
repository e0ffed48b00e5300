"""Undoes the content coding of a request whose model is to be found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy import errors
from proxy.request.model import is_looked_into

if TYPE_CHECKING:
    from proxy.message import Request


def decoded(request: Request) -> Request:
    """The request with a plain body, unless nothing will look into it.

    Raises ProxyError: 415 for a coding that the standard library cannot undo, 413 above the limit, 400 for broken
    bytes.
    """
    if not request.header("content-encoding") or not request.body or not is_looked_into(request.header("content-type")):
        return request
    from dataclasses import replace

    from proxy.response import coding

    name = coding.coding_of(",".join(value for key, value in request.headers if key == "content-encoding"))
    if name and name not in coding.DECODABLE:
        raise errors.unsupported_encoding(name, "gzip, deflate, identity")
    headers = tuple(pair for pair in request.headers if pair[0] != "content-encoding")
    return replace(request, headers=headers, body=_plain(request, name) if name else request.body)


def _plain(request: Request, name: str) -> bytearray:
    from proxy.response.coding import CodingError, Decoder

    decoder, body = Decoder(name), bytearray()
    try:
        for piece in decoder.feed(request.body):
            body += piece
            if len(body) > request.body_limit:
                raise errors.too_large(len(body), request.body_limit)
        for piece in decoder.finish():
            body += piece
    except CodingError as error:
        raise errors.bad_request(f"The request's body cannot be decoded: {error}", "invalid_body") from None
    return body  # without another copy
