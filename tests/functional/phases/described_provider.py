"""A provider that does what OpenAI's published description says, and whose model thinks until its tokens are used up.

Routes, methods and bodies are those of `judges/openai.json`; error codes are those of OpenAI's guide to error codes.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

from judges import provider

_DESCRIPTION = provider.read()
_USAGE = {"prompt_tokens": 9, "completion_tokens": 64, "total_tokens": 73}


def _chat(thinks: bool) -> dict[str, Any]:
    message = {"role": "assistant", "content": "" if thinks else "Hello.", "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "length" if thinks else "stop"}
    return {"id": "c-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": _USAGE}


def _chunks(thinks: bool) -> bytes:
    deltas = [{"role": "assistant", "content": ""}, {} if thinks else {"content": "Hello."}]
    ends = [None, "length" if thinks else "stop"]
    choices = [[{"index": 0, "delta": delta, "finish_reason": end}] for delta, end in zip(deltas, ends, strict=True)]
    events = [{"choices": choice, "usage": None} for choice in choices] + [{"choices": [], "usage": _USAGE}]
    common = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    lines = [json.dumps({**common, **event}) for event in events] + ["[DONE]"]
    return "".join(f"data: {line}\n\n" for line in lines).encode()


def _tool(answer: dict[str, Any], thinks: bool) -> dict[str, Any]:
    if not thinks:
        function = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
        call = {"id": "t-1", "type": "function", "function": function}
        answer["choices"][0]["message"].update(content=None, tool_calls=[call])
    return answer


def _response(thinks: bool) -> dict[str, Any]:
    tokens = {"input_tokens": 9, "output_tokens": 64, "total_tokens": 73}
    status = "incomplete" if thinks else "completed"
    return {"id": "r-1", "object": "response", "created_at": 1, "status": status, "output": [], "usage": tokens}


def _embeddings(body: dict[str, Any]) -> dict[str, Any]:
    data = [{"object": "embedding", "index": index, "embedding": [0.1] * 8} for index, _ in enumerate(body["input"])]
    return {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 2, "total_tokens": 2}}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    thinks = False

    def _handle(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", "0")))
        path = self.path.partition("?")[0]
        if not any(_DESCRIPTION.has(method, path) for method in ("GET", "POST", "DELETE")):
            self._refuse(404, f"Invalid URL ({self.command} {path})", "unknown_url")
        elif not _DESCRIPTION.has(self.command, path):
            self._refuse(405, f"Not allowed to {self.command} on {path}.", "method_not_supported")
        elif self.command == "GET":
            self._send({"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "o"}]})
        else:
            self._post(path, raw)

    def _post(self, path: str, raw: bytes) -> None:
        try:
            body = json.loads(raw.decode())
        except ValueError:
            self._refuse(400, "We could not parse the JSON body of your request.", None)
            return
        if reason := _DESCRIPTION.refusal(path, body):
            self._refuse(400, reason, "missing_required_parameter")
        elif path == "/v1/chat/completions" and body.get("stream"):
            self._send_bytes(200, "text/event-stream", _chunks(self.thinks))
        elif path == "/v1/chat/completions":
            answer = _chat(self.thinks)
            self._send(_tool(answer, self.thinks) if body.get("tools") else answer)
        else:
            self._send(_response(self.thinks) if path == "/v1/responses" else _embeddings(body))

    def _refuse(self, status: int, message: str, code: str | None) -> None:
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
        self._send({"error": error}, status)

    def _send(self, answer: dict[str, Any], status: int = 200) -> None:
        self._send_bytes(status, "application/json", json.dumps(answer).encode())

    def _send_bytes(self, status: int, kind: str, content: bytes) -> None:
        self.send_response_only(status)
        for name, value in (("content-type", kind), ("x-request-id", "req-1"), ("content-length", str(len(content)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _handle

    def log_message(self, *_: Any) -> None:
        return


@contextlib.contextmanager
def described_provider(*, thinks: bool) -> Iterator[str]:
    """Serves on a free port of 127.0.0.1 and yields the base URL. thinks: no answer says anything."""
    handler = type("Handler", (_Handler,), {"thinks": thinks})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
