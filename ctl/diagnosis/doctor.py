"""`doctor`: whether this machine can work with the control plane, a line a check, each with its remedy."""

import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from operator import attrgetter

from botocore.exceptions import BotoCoreError, ClientError

from ctl import __version__
from ctl.client import ApiError, Client
from ctl.diagnosis.places import place_of
from ctl.inputs import Refused
from ctl.session import API_VARIABLE, connect
from ctl.words import counted

# AWS refuses signatures that are five minutes off; half of that is worth a warning.
_SKEW_S = 150.0
_DIGEST = 12  # characters that tell one bundle from another
_REGION_IN_HOST = re.compile(r"//[a-z0-9]+\.execute-api\.([a-z0-9-]+)\.amazonaws\.com")
Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Check:
    """One line. ok: None for a check that could not be made because an earlier one failed."""

    name: str
    ok: bool | None
    text: str
    remedy: str = ""


def examine(now: Now = lambda: datetime.now(UTC)) -> list[Check]:
    """Every check, in the order in which they depend on each other."""
    checks = [_versions(), _variable()]
    if not checks[-1].ok:
        return [*checks, *_unchecked("credentials", "region", "API", "clock", "account")]
    try:
        client = connect()
    except Refused as refusal:
        checks.append(Check("credentials", False, str(refusal), _remedy_of(str(refusal))))
        return [*checks, *_unchecked("region", "API", "clock", "account")]
    account = _account(client)
    api, health_account, date = _api(client)
    return [*checks, _region(client), account[0], api, _clock(date, now()),
            _same_account(account[1], health_account), *_elsewhere(client, account[1], api)]  # fmt: skip


def _unchecked(*names: str) -> list[Check]:
    return [Check(name, None, "not checked, since a check before it failed") for name in names]


def _versions() -> Check:
    parts = [f"proxyctl {__version__}", f"Python {sys.version.split()[0]}"]
    for package in ("boto3", "click", "rich"):
        try:
            parts.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            return Check("versions", False, f"{package} is not installed", "Install proxyctl again: pipx install .")
    return Check("versions", True, ", ".join(parts))


def _variable() -> Check:
    url = os.environ.get(API_VARIABLE, "")
    remedy = "Print it with `python3 bootstrap.py status`; for the cloud of `make demo`: `. .local/env`"
    return Check(API_VARIABLE, bool(url), url or "is not set", "" if url else remedy)


def _remedy_of(refusal: str) -> str:
    return "Set it as for the AWS CLI: aws configure, or AWS_PROFILE." if "AWS" in refusal else ""


def _region(client: Client) -> Check:
    """A signature holds for one region: the API answers 403 to any other, and does not say why."""
    theirs = _REGION_IN_HOST.search(client.url)
    if theirs is None or theirs[1] == client.region:
        return Check("region", True, client.region)
    text = f"{client.region}, but {API_VARIABLE} is in {theirs[1]}"
    return Check("region", False, text, f"export AWS_REGION={theirs[1]}, or correct {API_VARIABLE}.")


def _account(client: Client) -> tuple[Check, str]:
    try:
        caller = client.aws("sts").get_caller_identity()
    except (ClientError, BotoCoreError) as problem:
        remedy = "Log in again (aws sso login), or correct AWS_PROFILE."
        return Check("credentials", False, str(problem), remedy), ""
    return Check("credentials", True, str(caller["Arn"])), str(caller["Account"])


def _api(client: Client) -> tuple[Check, str, str]:
    """The check, the account that the API runs in, the answer's Date header."""
    try:
        reply = client.call("GET", "/health")
    except ApiError as error:
        return Check("API", False, str(error), f"Compare {API_VARIABLE} with `bootstrap.py status`."), "", ""
    date = reply.headers.get("date", "")
    if reply.status != 200 or not isinstance(reply.body, dict):
        remedy = (
            "Let your role call execute-api:Invoke on the API." if reply.status == 403 else "python3 bootstrap.py up"
        )
        return Check("API", False, f"answers {reply.status}", remedy), "", date
    body = reply.body
    bundle = str(body.get("bundle")).removeprefix("bundles/").removesuffix(".zip")[:_DIGEST]
    text = f"{body.get('status')}, {counted(body.get('environments'), 'environment')}, bundle {bundle}"
    return (
        Check("API", body.get("status") == "ok", text, "" if body.get("status") == "ok" else "See its logs."),
        str(body.get("account", "")),
        date,
    )


def _clock(date: str, now: datetime) -> Check:
    try:
        skew_s = abs((parsedate_to_datetime(date) - now).total_seconds())
    except (TypeError, ValueError):
        return Check("clock", None, "not checked: the API sent no time")
    return Check(
        "clock", skew_s <= _SKEW_S, f"{skew_s:.0f} s off the API's", "" if skew_s <= _SKEW_S else "Set the clock (NTP)."
    )


def _same_account(mine: str, theirs: str) -> Check:
    if not mine or not theirs:
        return Check("account", None, "not checked: the account of one side is unknown")
    same = mine == theirs
    text = mine if same else f"credentials are of {mine}, the control plane is in {theirs}"
    return Check("account", same, text, "" if same else "Choose the other account's AWS_PROFILE.")


def _elsewhere(client: Client, mine: str, api: Check) -> Iterator[Check]:
    """A line for each account and region with environments, beside the control plane's own. Nothing is wrong there:
    only what reads their logs needs credentials of that account."""
    if not api.ok:
        return
    try:
        places = Counter(filter(attrgetter("account"), map(place_of, client.environments())))
    except ApiError as error:
        yield Check("targets", False, str(error))
        return
    for place, count in sorted(places.items(), key=str):
        needs = "" if place.account == mine else "; `logs` needs --profile NAME with credentials of that account"
        yield Check("target", True, f"{counted(count, 'environment')} in {place}{needs}")
