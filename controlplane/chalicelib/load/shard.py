"""What a worker hands over in S3, and how any number of them become one: counts are added, never averaged.

Layout: 4 bytes (big endian) with the length of a JSON head, the head, then compressed histograms one after another.
The head has the counts, and `blobs`: name → length, in order. `response/12` is the histogram of second 12.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .histogram import Histogram, add, decode, merge
from .recorder import Recorder

_LENGTH = struct.Struct(">I")
_SUMS = ("due", "sent", "good", "unsent", "events", "streamed_s", "connections")


@dataclass(frozen=True, slots=True)
class Summary:
    """A whole run. by_second: response times by the second in which requests were due; start skew in milliseconds."""

    due: int
    sent: int
    good: int
    unsent: int
    events: int
    streamed_s: float
    connections: int
    errors: Mapping[str, int]
    response: Histogram
    service: Histogram
    first_byte: Histogram
    pacing: Histogram
    by_second: Mapping[int, Histogram]
    parts: Mapping[str, Histogram] = field(default_factory=dict)
    workers: int = 1
    start_skew_ms: float = 0.0
    stopped: bool = False

    @property
    def failed(self) -> int:
        return sum(self.errors.values())

    @property
    def error_rate(self) -> float:
        answered = self.good + self.failed
        return self.failed / answered if answered else 0.0

    @property
    def unsent_share(self) -> float:
        return self.unsent / self.due if self.due else 0.0


def encode(recorder: Recorder, *, started_at: float, late_s: float = 0.0, stopped: bool = False) -> bytes:
    """One worker's shard. started_at: seconds since the epoch when it began; late_s: after it was told to."""
    histograms = {f"response/{second}": counts for second, counts in recorder.response.items()}
    histograms |= {name: getattr(recorder, name) for name in ("service", "first_byte", "pacing")}
    histograms |= {f"part/{name}": counts for name, counts in recorder.parts.items()}
    head = {name: getattr(recorder, name) for name in _SUMS} | {
        "errors": dict(recorder.errors),
        "started_at": started_at,
        "late_s": late_s,
        "stopped": stopped,
    }
    return _pack(head, {name: Histogram(counts).encode() for name, counts in histograms.items()})


def seconds_of(summary: Summary) -> bytes:
    """The response times of a whole run, second by second, to compare later runs with; `read_seconds` reads it."""
    return _pack({}, {f"response/{second}": one.encode() for second, one in summary.by_second.items()})


def read_seconds(kept: bytes) -> dict[int, Histogram]:
    """What `seconds_of` kept. Raises ValueError."""
    return {int(name.partition("/")[2]): decode(blob) for name, blob in _split(kept)[1].items()}


def combine(shards: Iterable[bytes]) -> Summary:
    """All shards as one run. Raises ValueError when there are none, or one is broken."""
    heads: list[dict[str, Any]] = []
    blobs: dict[str, list[bytes]] = {}
    for shard in shards:
        head, found = _split(shard)
        heads.append(head)
        for name, blob in found.items():
            blobs.setdefault(name, []).append(blob)
    if not heads:
        raise ValueError("there is no shard to combine")
    merged = {name: merge(some) for name, some in blobs.items()}
    by_second = {int(name.partition("/")[2]): one for name, one in merged.items() if name.startswith("response/")}
    parts = {name.partition("/")[2]: one for name, one in merged.items() if name.startswith("part/")}
    sums = {name: sum(head[name] for head in heads) for name in _SUMS}
    return Summary(
        **sums,
        errors=dict(sum((Counter(head["errors"]) for head in heads), Counter())),
        response=add([Histogram(), *by_second.values()]),
        service=merged["service"],
        first_byte=merged["first_byte"],
        pacing=merged["pacing"],
        by_second=dict(sorted(by_second.items())),
        parts=parts,
        workers=len(heads),
        start_skew_ms=_skew_ms([head["started_at"] for head in heads]),
        stopped=any(head["stopped"] for head in heads),
    )


def shifted(shard: bytes, seconds: int) -> bytes:
    """The same shard as a later slice of a longer run: its seconds count from the start of the whole."""
    head, found = _split(shard)
    renamed = {
        f"response/{int(name.partition('/')[2]) + seconds}" if name.startswith("response/") else name: blob
        for name, blob in found.items()
    }
    return _pack(head, renamed)


def _pack(head: Mapping[str, Any], blobs: Mapping[str, bytes]) -> bytes:
    text = json.dumps({**head, "blobs": {name: len(blob) for name, blob in blobs.items()}}).encode()
    return _LENGTH.pack(len(text)) + text + b"".join(blobs.values())


def _split(shard: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    try:
        (length,) = _LENGTH.unpack_from(shard)
        at = _LENGTH.size + length
        head = json.loads(shard[_LENGTH.size : at])
        found = {}
        for name, size in head["blobs"].items():
            found[name] = shard[at : at + size]
            at += size
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"not a shard of a load test: {error}") from None
    return head, found


def _skew_ms(starts: Sequence[float]) -> float:
    return (max(starts) - min(starts)) * 1_000


def seed_of(text: str) -> int:
    """A number for `random` that is the same in every process."""
    return zlib.crc32(text.encode())
