"""What a run has seen, for the judges to read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ctl.shapes import Deployment
from installer.verify.streaming import Stream


@dataclass
class Facts:
    """Filled step by step; what a failed step left out stays empty, and its rows say NOT RUN.

    deployments: by step (`deploy`, `clean`, `shift`, `rollback`, `bad`, `header`, `drifted`, `cleanup`). counts: sums
    of metrics by name. upgrades: for each upgrade of the control plane by itself what was wrong, "" where nothing was.
    errors: names of errors in the bad release's execution. failures: why a step failed, by step.
    """

    base_url: str = ""
    control_plane: str = ""
    deployments: dict[str, Deployment] = field(default_factory=dict)
    stream: Stream | None = None
    no_body: dict[str, tuple[int, float]] = field(default_factory=dict)
    counts: dict[str, float] = field(default_factory=dict)
    invocations: Mapping[str, float] = field(default_factory=dict)
    init_lines: int = 0
    exit_errors: int = 0
    upgrades: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    revisions: tuple[str, str] | None = None
    stage_rates: tuple[float, float, float] | None = None
    forbidden_headers: Mapping[str, str] | None = None
    left: tuple[str, ...] = ()
    artifact_digest: str = ""
    failures: dict[str, str] = field(default_factory=dict)

    def evidence(self, step: str, phase: str) -> dict[str, Any]:
        """Evidence of a phase in a step's deployment; {} if either did not run."""
        deployment = self.deployments.get(step)
        rows = [*deployment.get("phases", []), *deployment.get("steps", [])] if deployment else []
        return next((row.get("evidence") or {} for row in rows if row["name"] == phase), {})

    def status(self, step: str) -> str:
        """How a step's deployment ended; "" if it did not run."""
        deployment = self.deployments.get(step)
        return deployment["status"] if deployment else ""
