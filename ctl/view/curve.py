"""The curve of a running load test: samples from the API's totals, and their picture in a line of text. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from ctl.shapes import Load

_BARS = "▁▂▃▄▅▆▇█"
WIDTH = 60  # newest samples that a picture shows


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading. rate: requests a second since the reading before; failed: failures since then; times in ms."""

    second: int
    rate: float
    failed: int
    p50_ms: float | None
    p99_ms: float | None


def extended(samples: Sequence[Sample], last: Load | None, load: Load) -> tuple[Sample, ...]:
    """The samples with one more, unless `load` is not newer than `last`, the totals of the reading before."""
    before: Load = last or {"second": 0, "sent": 0, "failed": 0}
    seconds = load["second"] - before["second"]
    if seconds <= 0:
        return tuple(samples)
    sample = Sample(
        second=load["second"],
        rate=max(0, load.get("sent", 0) - before.get("sent", 0)) / seconds,
        failed=max(0, load.get("failed", 0) - before.get("failed", 0)),
        p50_ms=load.get("p50_ms"),
        p99_ms=load.get("p99_ms"),
    )
    return (*samples, sample)


def picture(values: Sequence[float | None]) -> str:
    """`▁▄█` for the newest values, scaled from 0 to the highest of them; a blank where there is none."""
    shown = values[-WIDTH:]
    top = max((value for value in shown if value is not None), default=0.0)
    return "".join(_bar(value, top) for value in shown)


def _bar(value: float | None, top: float) -> str:
    if value is None:
        return " "
    return _BARS[min(len(_BARS) - 1, int(value / top * (len(_BARS) - 1) + 0.5))] if top else _BARS[0]


def lines(samples: Sequence[Sample]) -> list[str]:
    """Four lines with the newest figure and its curve: requests/s, p50, p99, errors; none without samples."""
    if not samples:
        return []
    now = samples[-1]
    rows = (
        ("requests/s", f"{now.rate:.1f}", [sample.rate for sample in samples]),
        ("p50", _ms(now.p50_ms), [sample.p50_ms for sample in samples]),
        ("p99", _ms(now.p99_ms), [sample.p99_ms for sample in samples]),
        ("errors", str(sum(sample.failed for sample in samples)), [float(sample.failed) for sample in samples]),
    )
    return [f"{name:<11}{figure:>10}  {picture(values)}" for name, figure, values in rows]


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} ms"


def traffic(percent: int, width: int = 40) -> str:
    """`██████░░░░` for the candidate's share of users' traffic, in `width` characters."""
    filled = round(width * min(max(percent, 0), 100) / 100)
    return "█" * filled + "░" * (width - filled)
