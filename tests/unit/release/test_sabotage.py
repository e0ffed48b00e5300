"""Only a drill's environment can get a release that is broken on purpose."""

from __future__ import annotations

import pytest
from chalicelib.domain import drills
from chalicelib.domain.options import Options
from chalicelib.release import sabotage
from chalicelib.release.release import WantedRelease

from proxy.settings import SettingsError, from_environment


@pytest.mark.parametrize("name", ["prod", "drill", "drill-team", "drill-0123abc", "my-drill-0123ab"])
def test_nothing_but_a_drills_environment_can_be_sabotaged(name: str) -> None:
    assert not sabotage.is_sabotaged(name, Options(sabotage="answers_500"))


def test_a_drills_environment_is_sabotaged_only_on_request() -> None:
    name = drills.ephemeral_environment("d-0123abcdef0123abcdef")
    assert sabotage.is_sabotaged(name, Options(sabotage="answers_500"))
    assert not sabotage.is_sabotaged(name, Options())


def test_the_broken_release_is_one_that_the_proxy_refuses_to_start_with() -> None:
    """The proxy's own settings say so: if they accepted it, a drill would prove nothing."""
    variables = {"SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:of-prod", "SECRET_TTL_S": "300"}
    good = WantedRelease("d", "c", 512, 29, variables, "mark")
    from_environment(good.environment)
    with pytest.raises(SettingsError):
        from_environment(sabotage.broken(good).environment)
    assert sabotage.broken(good).fingerprint != good.fingerprint
