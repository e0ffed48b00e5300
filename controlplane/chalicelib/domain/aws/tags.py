"""Tags of the customer's own, beside the project's. Limits: "Tag naming limits and requirements" of the AWS General
Reference."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_KEY = re.compile(r"[\w .:/=+@-]{1,128}")
_VALUE = re.compile(r"[\w .:/=+@-]{0,256}")
_RESERVED = ("aws:", "proxyctl:")
# A resource takes 50, and ours and CloudFormation's are among them.
MOST_TAGS = 40
# They stand in an environment variable of each function, and 4 KB is what all variables of one may have.
MOST_CHARACTERS = 2_000


def parsed(pairs: Sequence[str]) -> dict[str, str]:
    """Value by key. pairs: `KEY=VALUE`, the key up to the first `=`."""
    return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}


def paired(tags: Mapping[str, str]) -> tuple[str, ...]:
    """The same as `KEY=VALUE`, sorted."""
    return tuple(f"{key}={value}" for key, value in sorted(tags.items()))


def refusal(pairs: Sequence[str]) -> str | None:
    """What is wrong with them, with a way to mend it; None for tags that AWS takes."""
    for pair in pairs:
        if problem := _refused(pair):
            return f"has {pair[:80]!r}: {problem}"
    if len(parsed(pairs)) < len(pairs):
        return "has a key twice: leave one of them"
    if len(pairs) > MOST_TAGS or sum(map(len, pairs)) > MOST_CHARACTERS:
        return f"has more than {MOST_TAGS} tags or {MOST_CHARACTERS:,} characters: leave some out"
    return None


def _refused(pair: str) -> str | None:
    key, separator, value = pair.partition("=")
    if not separator or not _KEY.fullmatch(key) or not _VALUE.fullmatch(value):
        return "write KEY=VALUE, of at most 128 and 256 letters, digits, spaces and _.:/=+-@"
    if key.lower().startswith(_RESERVED):
        return f"keys that begin with {' or '.join(_RESERVED)} are reserved, choose another key"
    return None
