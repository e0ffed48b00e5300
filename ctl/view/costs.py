"""What `costs` prints: bills with their lines, and months, requests and rollouts of an environment."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ctl.shapes import Bill, CostLine, Costs
from ctl.view.styles import Line
from ctl.words import clean, counted

_NOTHING = "not recorded"


def usd(value: float | None, digits: int = 4) -> str:
    """`$0.0092`; `not recorded` for a figure that nobody recorded."""
    return _NOTHING if value is None else f"${value:,.{digits}f}"


def summary(cost: Bill) -> str:
    """`$0.0092 at list price of eu-central-1, 2026-11`; `not recorded`."""
    if cost.get("usd") is None:
        return cost["recorded"]
    partly = "" if cost["recorded"] == "recorded" else f", {cost['recorded']}"
    return f"{usd(cost.get('usd'))}{partly}, at list price of {cost.get('region')}, {cost.get('prices_of')}"


def bill(cost: Bill) -> Iterator[Line]:
    """What a deployment cost: the sum, its lines and its phases."""
    yield clean(f"this rollout cost {summary(cost)}"), "bold"
    yield from _remarks(cost.get("remarks", []))
    yield from _lines(cost.get("lines", []))
    phases = sorted(cost.get("by_phase", {}).items(), key=lambda each: -each[1])
    if phases:
        yield "by phase, of what was measured", "bold"
    for name, part in phases:
        yield clean(f"  {name:<22} {usd(part, 5)}"), ""


def environment(shown: Costs) -> Iterator[Line]:
    """At rest, per million requests beside Fargate, and for its rollouts."""
    yield (
        clean(f"{shown['environment']}: list prices of {shown['region']}, {shown['prices_of']}, without tokens"),
        "bold",
    )
    yield from _remarks(shown["remarks"])
    nights = shown["at_rest"].get("nights")
    source = f"nights as {nights} measured" if nights else "typical nights, since none is on record"
    yield from _month(f"at rest ({source})", shown["at_rest"])
    yield from _month("the control plane at rest, for all environments", shown["control_plane"])
    yield from _requests(shown["requests"])
    yield from _rollouts(shown["rollouts"], shown["last_rollout"])


def _month(title: str, month: Mapping[str, Any]) -> Iterator[Line]:
    yield clean(f"{title}: {usd(month['usd'], 2)} a month"), "bold"
    yield from _lines(month["lines"])


def _requests(both: Mapping[str, Any]) -> Iterator[Line]:
    serverless, fargate = both["serverless"], both["fargate"]
    how = f"{both['request_ms']:,.0f} ms each, {both['basis']}"
    yield clean(f"a million requests ({how}): {usd(serverless['per_million_usd'], 2)}"), "bold"
    yield from _lines(serverless["per_million"])
    text = f"{usd(fargate['monthly_usd'], 2)} a month and {usd(fargate['per_million_usd'], 2)} a million"
    yield clean(f"the same proxy on Fargate with a load balancer: {text}"), "bold"
    yield from _lines([*fargate["monthly"], *fargate["per_million"]])
    if both.get("equal_at"):
        yield f"  Fargate is cheaper from {both['equal_at']:,} requests a month", ""


def _rollouts(rollouts: Mapping[str, Any], last: Mapping[str, Any] | None) -> Iterator[Line]:
    count = counted(rollouts["count"], "deployment")
    yield clean(f"{count} in {rollouts['days']} days: {usd(rollouts.get('usd'))}"), "bold"
    for action, part in rollouts["by_action"].items():
        yield clean(f"  {action:<22} {usd(part)}"), ""
    if rollouts["unrecorded"]:
        yield f"  {rollouts['unrecorded']} of them {_NOTHING}: by an earlier version of the control plane", "dim"
    if last:
        figure = last["recorded"] if last.get("usd") is None else usd(last["usd"])
        yield clean(f"  the last one, {last['deployment_id']}: {figure}"), ""


def _remarks(remarks: Sequence[str]) -> Iterator[Line]:
    for remark in remarks:
        yield clean(f"  {remark}"), "yellow"


def _lines(lines: Sequence[CostLine]) -> Iterator[Line]:
    """Those that cost something, the dearest first."""
    for each in sorted(lines, key=lambda each: -each["usd"]):
        if each["usd"] > 0:
            amount = f"{each['amount']:,.6g} {each['unit']}"
            yield clean(f"  {each['what']:<42} {amount:<34} {usd(each['usd'], 5):>10}  {each['basis']}"), ""
