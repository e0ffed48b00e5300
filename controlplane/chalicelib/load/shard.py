"""A worker's result in S3, and how any number of them add up to one run: counts are added, never averaged.

Layout: 4 bytes (big endian) with the length of a JSON head, the head, then compressed histograms one after another.
The head has the counts, and `blobs`: name → length, in order. `response/12` is the histogram of second 12, and
`series/total/12` one of a series.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.errors import BadRequest

from .histogram import Histogram, add, decode, merge
from .recorder import Recorder

_LENGTH = struct.Struct(">I")
_RESPONSE, _PART, _SERIES = "response/", "part/", "series/"


@dataclass(frozen=True, slots=True)
class Head:
    """One worker's counts. failures: by second; failed_as: by `kind/second`.

    started_at: seconds since the epoch; late_s: after the planned start.

    blobs: length of each histogram by name, in their order.
    """

    blobs: Mapping[str, int]
    due: int = 0
    sent: int = 0
    good: int = 0
    unsent: int = 0
    events: int = 0
    streamed_s: float = 0.0
    connections: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    failed_as: Mapping[str, int] = field(default_factory=dict)
    started_at: float = 0.0
    late_s: float = 0.0
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """A whole run. by_second: response times by the second in which requests were due; start skew in milliseconds.

    series, failures, failed_as: see Recorder.
    """

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
    series: Mapping[str, Mapping[int, Histogram]] = field(default_factory=dict)
    failures: Mapping[int, int] = field(default_factory=dict)
    failed_as: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    workers: int = 1
    start_skew_ms: float = 0.0
    stopped: bool = False

    @property
    def failed(self) -> int:
        """How many requests got no good answer."""
        return sum(self.errors.values())

    @property
    def error_rate(self) -> float:
        """Share of failed requests among the answered ones, in [0, 1]."""
        answered = self.good + self.failed
        return self.failed / answered if answered else 0.0

    @property
    def unsent_share(self) -> float:
        """Share of the due requests that the generator could not send in time, in [0, 1]."""
        return self.unsent / self.due if self.due else 0.0


def encode(recorder: Recorder, *, started_at: float, late_s: float = 0.0, stopped: bool = False) -> bytes:
    """One worker's shard. started_at: seconds since the epoch when it began; late_s: after its planned start."""
    histograms = {f"{_RESPONSE}{second}": counts for second, counts in recorder.response.items()}
    histograms |= {"service": recorder.service, "first_byte": recorder.first_byte, "pacing": recorder.pacing}
    histograms |= {f"{_PART}{name}": counts for name, counts in recorder.parts.items()}
    histograms |= {
        f"{_SERIES}{name}/{second}": counts
        for name, by_second in recorder.series.items()
        for second, counts in by_second.items()
    }
    head = Head(
        {},
        due=recorder.due,
        sent=recorder.sent,
        good=recorder.good,
        unsent=recorder.unsent,
        events=recorder.events,
        streamed_s=recorder.streamed_s,
        connections=recorder.connections,
        errors=dict(recorder.errors),
        failures={str(second): count for second, count in recorder.failures.items()},
        failed_as={f"{kind}/{at}": n for kind, by_second in recorder.failed_as.items() for at, n in by_second.items()},
        started_at=started_at,
        late_s=late_s,
        stopped=stopped,
    )
    return _pack(head, {name: Histogram(counts).encode() for name, counts in histograms.items()})


def encode_seconds(summary: Summary) -> bytes:
    """The response times of a whole run by second, to compare later runs with (`decode_seconds`)."""
    blobs = {f"{_RESPONSE}{second}": histogram.encode() for second, histogram in summary.by_second.items()}
    return _pack(Head({}), blobs)


def decode_seconds(encoded: bytes) -> dict[int, Histogram]:
    """The histograms by second that `encode_seconds` wrote. Raises ValueError for anything else."""
    return {int(name.partition("/")[2]): decode(blob) for name, blob in _split(encoded)[1].items()}


def combine(shards: Iterable[bytes]) -> Summary:
    """All shards as one run. Raises ValueError when there is none, or one is broken."""
    heads: list[Head] = []
    blobs: dict[str, list[bytes]] = {}
    for shard in shards:
        head, histograms = _split(shard)
        heads.append(head)
        for name, blob in histograms.items():
            blobs.setdefault(name, []).append(blob)
    if not heads:
        raise ValueError("there is no shard to combine")
    merged = {name: merge(same) for name, same in blobs.items()}
    by_second = {int(second): histogram for second, histogram in _under(_RESPONSE, merged).items()}
    return Summary(
        due=sum(head.due for head in heads),
        sent=sum(head.sent for head in heads),
        good=sum(head.good for head in heads),
        unsent=sum(head.unsent for head in heads),
        events=sum(head.events for head in heads),
        streamed_s=sum(head.streamed_s for head in heads),
        connections=sum(head.connections for head in heads),
        errors=dict(sum((Counter(head.errors) for head in heads), Counter())),
        response=add([Histogram(), *by_second.values()]),
        service=merged["service"],
        first_byte=merged["first_byte"],
        pacing=merged["pacing"],
        by_second=dict(sorted(by_second.items())),
        parts=_under(_PART, merged),
        series=_series(merged),
        failures={
            int(second): count
            for second, count in sum((Counter(head.failures) for head in heads), Counter[str]()).items()
        },
        failed_as=_by_kind(head.failed_as for head in heads),
        workers=len(heads),
        start_skew_ms=_skew_ms([head.started_at for head in heads]),
        stopped=any(head.stopped for head in heads),
    )


def _under(prefix: str, histograms: Mapping[str, Histogram]) -> dict[str, Histogram]:
    return {name.removeprefix(prefix): each for name, each in histograms.items() if name.startswith(prefix)}


def _by_kind(heads: Iterable[Mapping[str, int]]) -> dict[str, dict[int, int]]:
    kinds: dict[str, dict[int, int]] = {}
    for head in heads:
        for name, count in head.items():
            kind, _, second = name.rpartition("/")
            by_second = kinds.setdefault(kind, {})
            by_second[int(second)] = by_second.get(int(second), 0) + count
    return kinds


def shifted(shard: bytes, seconds: int) -> bytes:
    """The same shard as a later slice of a longer run: its seconds then count from the start of the whole run."""
    head, blobs = _split(shard)
    failures = {str(int(second) + seconds): count for second, count in head.failures.items()}
    failed_as = {_moved(name, seconds): count for name, count in head.failed_as.items()}
    renamed = {_later(name, seconds): blob for name, blob in blobs.items()}
    return _pack(replace(head, failures=failures, failed_as=failed_as), renamed)


def _later(name: str, seconds: int) -> str:
    if not name.startswith((_RESPONSE, _SERIES)):
        return name
    return _moved(name, seconds)


def _moved(name: str, seconds: int) -> str:
    stem, _, second = name.rpartition("/")
    return f"{stem}/{int(second) + seconds}"


def _series(histograms: Mapping[str, Histogram]) -> dict[str, dict[int, Histogram]]:
    series: dict[str, dict[int, Histogram]] = {}
    for name, histogram in _under(_SERIES, histograms).items():
        stem, _, second = name.rpartition("/")
        series.setdefault(stem, {})[int(second)] = histogram
    return series


def _pack(head: Head, blobs: Mapping[str, bytes]) -> bytes:
    text = json.dumps(asdict(replace(head, blobs={name: len(blob) for name, blob in blobs.items()}))).encode()
    return _LENGTH.pack(len(text)) + text + b"".join(blobs.values())


def _split(shard: bytes) -> tuple[Head, dict[str, bytes]]:
    try:
        (length,) = _LENGTH.unpack_from(shard)
        at = _LENGTH.size + length
        head = decode_lenient(Head, json.loads(shard[_LENGTH.size : at]))
    except (struct.error, ValueError, BadRequest) as error:
        raise ValueError(f"not a shard of a load test: {error}") from None
    blobs = {}
    for name, size in head.blobs.items():
        blobs[name] = shard[at : at + size]
        at += size
    return head, blobs


def _skew_ms(starts: Sequence[float]) -> float:
    return (max(starts) - min(starts)) * 1_000


def seed_of(text: str) -> int:
    """A seed for `random` that is the same in every process."""
    return zlib.crc32(text.encode())
