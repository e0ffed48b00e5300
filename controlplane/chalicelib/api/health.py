"""`/health`: whether the control plane works, and which one it is."""

from __future__ import annotations

from chalicelib.domain.times import Clock
from chalicelib.ports import Aws
from chalicelib.upgrade.formats.table_format import FORMAT

from .answers import Answer, ApiCall
from .responses import Health


def show(call: ApiCall, aws: Aws, clock: Clock) -> Answer[Health]:
    """Whether the control plane works. Reads the table, so that `ok` means more than a running Lambda."""
    call.refuse_query()
    environments = aws.records.environment_names()
    settings = aws.settings
    return Answer(
        200,
        Health(
            "ok",
            settings.account,
            settings.region,
            len(environments),
            settings.bundle_key,
            settings.version,
            settings.release,
            FORMAT,
        ),
    )
