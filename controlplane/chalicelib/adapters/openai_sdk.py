"""The OpenAI SDK behind `ports.sdk`. It is imported on first use: that takes half a second, and few Lambdas need it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.domain.aws.http import is_refused
from chalicelib.domain.aws.sdk_target import Target
from chalicelib.ports.endpoint import Endpoint

from . import meter

if TYPE_CHECKING:
    import httpx2
    from openai import OpenAI

Models = Mapping[str, str]
Facts = dict[str, Any]

_IMPORTING = threading.Lock()

_HELLO: Any = [{"role": "user", "content": "Say hello in one word."}]
_WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
_MAX_TOKENS = 64  # enough for a word, small enough to cost nothing; some models think before they speak


class OpenAiSdk:
    """See the Protocol. `endpoint` signs."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def observe(self, operation: str, target: Target, models: Models) -> Facts:
        # Checks run side by side; a package of this size, imported by many threads at once, may be met half made.
        with _IMPORTING:
            import openai

        client = self._client(target)
        began = time.perf_counter()
        try:
            facts = _OPERATIONS[operation](client, models)
        except openai.APIStatusError as error:
            request_id = error.response.headers.get("x-request-id", "")
            facts = {"status": error.status_code, "request_id": request_id, "error": str(error)[:300]}
            facts["refused"] = is_refused(error.status_code, error.response.headers)
            facts["message"] = error.body.get("message") if isinstance(error.body, dict) else None
        except (openai.APIError, ValueError) as error:
            # What the SDK cannot parse is as much of a finding as what it cannot reach.
            facts = {"status": 0, "request_id": "", "error": f"{type(error).__name__}: {error}"[:300]}
        finally:
            client.close()
            meter.count_request(time.perf_counter() - began)
        return {**facts, "ms": (time.perf_counter() - began) * 1_000}

    def _client(self, target: Target) -> OpenAI:
        import httpx2
        import openai

        auth = _signer(self._endpoint) if target.signed else None
        return openai.OpenAI(
            base_url=f"{target.base_url}/v1",
            api_key=target.api_key,
            # One attempt: a check must see what the proxy does, not what the SDK makes of it.
            max_retries=0,
            timeout=target.timeout_s,
            http_client=httpx2.Client(auth=auth, timeout=target.timeout_s, trust_env=False),
        )


def _signer(endpoint: Endpoint) -> httpx2.Auth:
    import httpx2

    class SigV4(httpx2.Auth):
        requires_request_body = True

        def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
            # This takes the Authorization header over; the proxy knows the caller by IAM on this path.
            request.headers.update(endpoint.sign(request.method, str(request.url), request.content))
            yield request

    return SigV4()


def _models(client: OpenAI, _: Models) -> Facts:
    raw = client.models.with_raw_response.list()
    listed = raw.parse().data
    whole = all(item.id and item.object == "model" and item.owned_by is not None for item in listed)
    return {
        **_facts_of(raw),
        "count": len(listed),
        "ids": [item.id for item in listed],
        "whole": whole and bool(listed),
    }


def _chat(client: OpenAI, models: Models) -> Facts:
    raw = client.chat.completions.with_raw_response.create(
        model=models["chat"], messages=_HELLO, max_completion_tokens=_MAX_TOKENS
    )
    answer = raw.parse()
    choice = answer.choices[0]
    return {
        **_facts_of(raw),
        "object": answer.object,
        "text": _text(choice.message.content, choice.finish_reason),
        "finish_reason": choice.finish_reason,
        "total_tokens": answer.usage.total_tokens if answer.usage else 0,
    }


def _chat_stream(client: OpenAI, models: Models) -> Facts:
    began = time.perf_counter()
    raw = client.chat.completions.with_raw_response.create(
        model=models["chat"],
        messages=_HELLO,
        max_completion_tokens=_MAX_TOKENS,
        stream=True,
        stream_options={"include_usage": True},
    )
    facts: Facts = {**_facts_of(raw), "chunks": 0, "finish_reason": "", "total_tokens": 0}
    facts["content_type"] = raw.headers.get("content-type", "")
    text = ""
    for chunk in raw.parse():
        if not facts["chunks"]:
            facts["first_chunk_ms"] = (time.perf_counter() - began) * 1_000
        facts["chunks"] += 1
        if chunk.usage:
            facts["total_tokens"] = chunk.usage.total_tokens
        for choice in chunk.choices:
            text += choice.delta.content or ""
            facts["finish_reason"] = choice.finish_reason or facts["finish_reason"]
    return {**facts, "text": _text(text, facts["finish_reason"])}


def _tool_call(client: OpenAI, models: Models) -> Facts:
    raw = client.chat.completions.with_raw_response.create(
        model=models["chat"],
        messages=[{"role": "user", "content": "What is the weather in Paris?"}],
        tools=[_WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
        max_completion_tokens=4 * _MAX_TOKENS,
    )
    choice = raw.parse().choices[0]
    if choice.finish_reason == "length":
        return {**_facts_of(raw), "not_run": f"the model used up {4 * _MAX_TOKENS} tokens before its call was complete"}
    calls = choice.message.tool_calls or []
    function = getattr(calls[0], "function", None) if calls else None
    return {
        **_facts_of(raw),
        "finish_reason": choice.finish_reason,
        "tool": function.name if function else "",
        "arguments": json.loads(function.arguments) if function else None,
    }


def _responses(client: OpenAI, models: Models) -> Facts:
    raw = client.responses.with_raw_response.create(
        model=models["chat"], input="Say hello in one word.", max_output_tokens=_MAX_TOKENS
    )
    answer = raw.parse()
    return {
        **_facts_of(raw),
        "object": answer.object,
        "state": answer.status,
        "text": answer.output_text,
        "total_tokens": answer.usage.total_tokens if answer.usage else 0,
    }


def _embeddings(client: OpenAI, models: Models) -> Facts:
    raw = client.embeddings.with_raw_response.create(
        model=models["embedding"], input=["one", "two"], encoding_format="float"
    )
    vectors = raw.parse().data
    return {
        **_facts_of(raw),
        "vectors": len(vectors),
        "dimensions": min((len(item.embedding) for item in vectors), default=0),
        "ordered": [item.index for item in vectors] == list(range(len(vectors))),
    }


def _facts_of(raw: Any) -> Facts:
    return {"status": raw.status_code, "request_id": raw.headers.get("x-request-id", "")}


def _text(text: str | None, finish_reason: str | None) -> str:
    # A model that used all its tokens for thinking says nothing, and is not at fault.
    cut = {"length": "(cut by the token limit)", "content_filter": "(cut by the content filter)"}
    return text or cut.get(finish_reason or "", "")


_OPERATIONS: Mapping[str, Callable[[OpenAI, Models], Facts]] = {
    "models": _models,
    "chat": _chat,
    "chat_stream": _chat_stream,
    "tool_call": _tool_call,
    "responses": _responses,
    "embeddings": _embeddings,
}
