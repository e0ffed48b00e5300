"""What the console passes on to the control API: these routes and no others. No secret goes through the browser."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode

from ctl.console.gate import Denied

_ID = "[A-Za-z0-9-]{1,64}"  # neither dot, slash nor percent sign: what matches cannot leave its place in the path


@dataclass(frozen=True, slots=True)
class Route:
    """path: a pattern of the whole path. content_type: what the answer is shown as. takes_body: a JSON object."""

    method: str
    path: str
    content_type: str = "application/json"
    query: frozenset[str] = field(default_factory=frozenset)
    takes_body: bool = False


ROUTES = (
    Route("GET", "/health"),
    Route("GET", "/environments"),
    Route("GET", "/nights"),
    Route("GET", f"/environments/{_ID}"),
    Route("GET", "/deployments", query=frozenset({"environment", "status", "limit", "cursor"})),
    Route("GET", f"/deployments/{_ID}"),
    Route("GET", f"/deployments/{_ID}/report", "text/html; charset=utf-8"),
    # As plain text: what browsers do with Markdown is to save it.
    Route("GET", f"/deployments/{_ID}/handoff", "text/plain; charset=utf-8"),
    Route("POST", "/deployments", takes_body=True),
    Route("POST", f"/deployments/{_ID}/(?:abort|approve|resume)"),
)


def find(method: str, path: str) -> Route:
    """The route of a path. Raises Denied: 404 for one that is not passed on, 405 for another method."""
    fitting = [route for route in ROUTES if re.fullmatch(route.path, path, re.ASCII)]
    if not fitting:
        raise Denied(404, "the console passes no such call on")
    for route in fitting:
        if route.method == method:
            return route
    raise Denied(405, f"{method} is not for this path")


def query_of(route: Route, given: str) -> str:
    """The query to send, written anew (`?a=b`, or nothing). Raises Denied for what the route does not know."""
    try:
        pairs = parse_qsl(given, keep_blank_values=True, strict_parsing=bool(given))
    except ValueError:
        raise Denied(400, "the query is malformed") from None
    told: Mapping[str, str] = dict(pairs)
    if len(told) != len(pairs) or set(told) - route.query:
        raise Denied(400, f"the query may hold {', '.join(sorted(route.query)) or 'nothing'}, each once")
    return f"?{urlencode(told, quote_via=quote)}" if told else ""
