"""Accounts and regions of one embedded cloud beside its own: the emulator keeps them apart, the pump serves them all.

The emulator takes the number of an account as the access key of that account's root.
"""

import json
from pathlib import Path

from local.state import Cloud, Keys

_FILE = "places.json"
Place = tuple[str, str]  # account, region


def add(folder: Path, account: str, region: str) -> None:
    """Let the pump of the cloud in this folder serve one more account and region."""
    listed = [*others(folder), (account, region)]
    draft = folder / f"{_FILE}.draft"
    draft.write_text(json.dumps(sorted(set(listed))))
    draft.rename(folder / _FILE)


def others(folder: Path) -> list[Place]:
    """The places that were added."""
    try:
        listed = json.loads((folder / _FILE).read_text())
    except FileNotFoundError:
        return []
    return [(str(account), str(region)) for account, region in listed]


def root_of(account: str, cloud: Cloud) -> Keys:
    """The keys of an account's root."""
    return cloud.root if account == cloud.account else Keys(account, "any")
