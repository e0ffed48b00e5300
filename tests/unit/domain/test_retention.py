"""The retention periods that a POST may ask for are those that CloudWatch Logs takes, by its registry schema."""

from __future__ import annotations

import pytest
from chalicelib.domain.config import RETENTION_DAYS, Config
from chalicelib.domain.errors import BadRequest

from judges.formation import schemas


def test_they_are_those_of_the_registry_schema() -> None:
    assert list(RETENTION_DAYS) == sorted(schemas()["AWS::Logs::LogGroup"]["properties"]["RetentionInDays"]["enum"])


@pytest.mark.parametrize("days", [2191, 2193, 0, -1])
def test_a_period_between_them_is_refused(days: int) -> None:
    with pytest.raises(BadRequest, match="log_retention_days"):
        Config(log_retention_days=days)
