"""Reads the alarms of a wave's environments, each in the account and region where the environment is."""

from __future__ import annotations

from collections.abc import Collection

from chalicelib.domain.aws.targets import Target
from chalicelib.domain.errors import AccessDenied
from chalicelib.domain.fleets.model import FleetMember, Stop
from chalicelib.domain.names import OWNER
from chalicelib.domain.times import Clock, stamp
from chalicelib.ports import Aws

_ROLE = "advance_fleet"


def alarm_stop(wave: int, members: Collection[FleetMember], aws: Aws, clock: Clock) -> Stop | None:
    """Why no further wave begins: an alarm of a member rings, or alarms cannot be read. None while all are quiet."""
    # Each place once; the first target of a place stands for all that name it.
    targets = {member.target.place if member.target else None: member.target for member in members}
    for place, target in targets.items():
        here = {member.environment for member in members if (member.target and member.target.place) == place}
        if stop := _stop_in(target, wave, here, aws, clock):
            return stop
    return None


def _stop_in(target: Target | None, wave: int, environments: Collection[str], aws: Aws, clock: Clock) -> Stop | None:
    where = f" in {target}" if target else ""
    try:
        names = aws.at(target, _ROLE).alarms.ringing(f"{OWNER}/")
    except AccessDenied as error:
        # An alarm that nobody can read opens no gate.
        message = f"The alarms of wave {wave}{where} cannot be read: {error.message}"
        return Stop(error.code, message, stamp(clock()), OWNER)
    ringing = [name for name in names if name.split("/")[1] in environments]
    message = f"Alarm {ringing[0]}{where} rang after wave {wave}" if ringing else ""
    return Stop("AlarmRang", message, stamp(clock()), OWNER) if ringing else None
