"""`open`: a page of an environment in the browser of the person."""

import json
import sys
import tempfile
import webbrowser
from pathlib import Path

from ctl import exits
from ctl.client import Client
from ctl.diagnosis.places import Place, place_of
from ctl.inputs import Refused
from ctl.words import clean

REPORT = "report"
API = "base_url"  # of the proxy, which needs nobody to sign in


def run(client: Client, environment: str, page: str, *, only_prints: bool, as_json: bool) -> int:
    """Open the page, and print its address. Raises Refused for a page that the environment does not have."""
    address, place = _address(client, environment, page)
    if place.account:
        sys.stderr.write(f"proxyctl: {clean(environment)} is in {place}: sign in there\n")
    sys.stdout.write((json.dumps({"page": page, "url": address}) if as_json else clean(address)) + "\n")
    if not only_prints and not webbrowser.open(address):
        sys.stderr.write("proxyctl: no browser could be started here; open the address yourself\n")
    return exits.DONE


def _address(client: Client, environment: str, page: str) -> tuple[str, Place]:
    """The page, and the account and region whose console it is in."""
    if page == REPORT:
        return _report(client, environment), Place()
    shown = client.environment(environment)
    links = shown.get("links", {})
    if page not in links:
        raise Refused(f"{environment} has no page {page}; it has {', '.join([*sorted(links), REPORT])}")
    address = links[page]
    if not address.startswith(("https://", "http://")):
        raise Refused(f"{page} is {clean(address)}, which is no web page")
    return address, place_of(shown) if page != API else Place()


def _report(client: Client, environment: str) -> str:
    """The newest deployment's report, stored where only this user can read it."""
    newest = client.deployments(environment, None, 1)
    if not newest:
        raise Refused(f"there is no deployment of {environment} yet")
    text = client.document(newest[0]["id"], REPORT)
    path = Path(tempfile.mkdtemp(prefix="proxyctl-")) / f"{newest[0]['id']}.html"
    path.write_text(text, encoding="utf-8")
    return path.as_uri()
