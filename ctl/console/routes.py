"""The routes of the control API that the console forwards, and no others. No secret goes through the browser."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode

from ctl.console.gate import Denied

_ID = "[A-Za-z0-9-]{1,64}"  # no dot, slash or percent sign: a match cannot address another path


@dataclass(frozen=True, slots=True)
class Route:
    """path: a pattern of the whole path. content_type: of the answer. takes_body: requires a JSON object. is_linked:
    the answer is a page with links to other routes."""

    method: str
    path: str
    content_type: str = "application/json"
    query: frozenset[str] = field(default_factory=frozenset)
    takes_body: bool = False
    is_linked: bool = False


_PAGE = frozenset({"limit", "cursor"})
ROUTES = (
    Route("GET", "/health"),
    Route("GET", "/environments", query=_PAGE),
    Route("GET", "/nights", query=_PAGE),
    Route("GET", f"/environments/{_ID}"),
    Route("GET", f"/environments/{_ID}/history", query=_PAGE),
    Route("GET", f"/environments/{_ID}/costs"),
    Route("GET", f"/environments/{_ID}/incidents", query=_PAGE),
    Route("GET", f"/environments/{_ID}/incidents/{_ID}"),
    # Which versions there are; neither values nor their fingerprints.
    Route("GET", f"/environments/{_ID}/secret/history"),
    Route("GET", "/deployments", query=_PAGE | {"environment", "status"}),
    Route("GET", f"/deployments/{_ID}"),
    Route("GET", f"/deployments/{_ID}/report", "text/html; charset=utf-8"),
    # As plain text: browsers save Markdown instead of showing it.
    Route("GET", f"/deployments/{_ID}/handoff", "text/plain; charset=utf-8"),
    Route("GET", "/fleets", query=_PAGE),
    Route("GET", f"/fleets/{_ID}/deployments", query=_PAGE),
    Route("GET", f"/fleets/{_ID}/deployments/{_ID}"),
    Route("GET", f"/fleets/{_ID}/deployments/{_ID}/report", "text/html; charset=utf-8", is_linked=True),
    Route("POST", f"/fleets/{_ID}/deployments/{_ID}/abort", query=frozenset({"roll_back"})),
    Route("POST", f"/fleets/{_ID}/deployments/{_ID}/approve"),
    Route("POST", "/deployments", takes_body=True),
    Route("POST", f"/deployments/{_ID}/(?:abort|approve|resume)"),
)


def find(method: str, path: str) -> Route:
    """The route of a path. Raises Denied: 404 for one that is not forwarded, 405 for another method."""
    matches = [route for route in ROUTES if re.fullmatch(route.path, path, re.ASCII)]
    if not matches:
        raise Denied(404, "the console forwards no such call")
    for route in matches:
        if route.method == method:
            return route
    raise Denied(405, f"{method} is not for this path")


def query_of(route: Route, query: str) -> str:
    """The query to send, encoded again (`?a=b`, or nothing). Raises Denied for a parameter that the route lacks."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise Denied(400, "the query is malformed") from None
    parameters: Mapping[str, str] = dict(pairs)
    if len(parameters) != len(pairs) or set(parameters) - route.query:
        raise Denied(400, f"the query may hold {', '.join(sorted(route.query)) or 'nothing'}, each once")
    return f"?{urlencode(parameters, quote_via=quote)}" if parameters else ""
