"""What each part of a drill asks for, and which ends are the right ones."""

from __future__ import annotations

import dataclasses

import pytest
from chalicelib.domain import drills
from chalicelib.domain.codec import decode
from chalicelib.domain.config import Config, Options
from chalicelib.lifecycle.start import Start
from chalicelib.phases.run_drill.judge import PartEnd, following, problem
from chalicelib.release import sabotage
from chalicelib.release.release import WantedRelease

from proxy.settings import SettingsError, from_environment

OPTIONS = dataclasses.asdict(Options())
TEMPLATE = dataclasses.asdict(Config(memory_mb=1024, notify=("ann@example.com",), reserved_concurrency=5))
TWELVE = {f"phase-{number}": "SUCCEEDED" for number in range(12)}


@pytest.mark.parametrize("part", drills.PARTS)
def test_every_part_is_a_body_that_the_api_takes(part: str) -> None:
    asked = decode(
        Start,
        drills.body(
            part, "drill-0123ab", TEMPLATE, "arn:aws:secretsmanager:eu-central-1:123456789012:secret:of-prod", OPTIONS
        ),
    )
    assert asked.environment == "drill-0123ab"
    assert asked.action.value == ("cleanup" if part == "cleanup" else "deploy")
    assert (asked.options.sabotage is not None) == (part == "broken")


def test_the_copy_has_the_templates_secret_by_name_and_rings_nobodys_bell() -> None:
    asked = decode(
        Start,
        drills.body(
            "deploy",
            "drill-0123ab",
            TEMPLATE,
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:of-prod",
            OPTIONS,
        ),
    )
    config = asked.config
    assert (config.memory_mb, config.secret_arn) == (
        1024,
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:of-prod",
    )
    assert (config.notify, config.webhook, config.reserved_concurrency) == ((), None, None)
    assert asked.options.ttl_hours == drills.TTL_HOURS


def test_the_update_changes_one_setting_within_lambdas_limit() -> None:
    for before, after in ((512, 576), (10_240, 10_176)):
        config = drills.body("update", "drill-0123ab", TEMPLATE | {"memory_mb": before}, "a", OPTIONS)["config"]
        assert config["memory_mb"] == after


@pytest.mark.parametrize("name", ["prod", "drill", "drill-team", "drill-0123abc", "my-drill-0123ab"])
def test_nothing_but_a_drills_environment_can_be_sabotaged(name: str) -> None:
    assert not sabotage.is_sabotaged(name, Options(sabotage="answers_500"))


def test_a_drills_environment_is_sabotaged_only_when_asked() -> None:
    name = drills.ephemeral_environment("d-0123abcdef0123abcdef")
    assert name == "drill-0123ab"
    assert sabotage.is_sabotaged(name, Options(sabotage="answers_500"))
    assert not sabotage.is_sabotaged(name, Options())


GOOD = {
    "deploy": PartEnd("SUCCEEDED", TWELVE, live="2", alias="2"),
    "broken": PartEnd("ROLLED_BACK", live="2", alias="2", before="2"),
    "update": PartEnd("SUCCEEDED", live="4", alias="4", before="2"),
    "cleanup": PartEnd("SUCCEEDED", left=0),
}


@pytest.mark.parametrize("part", drills.PARTS)
def test_each_part_has_one_right_end(part: str) -> None:
    assert problem(part, GOOD[part]) == ""
    assert problem(part, dataclasses.replace(GOOD[part], status="FAILED"))


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("deploy", {"phases": TWELVE | {"phase-3": "SKIPPED"}}),
        ("broken", {"status": "SUCCEEDED"}),
        ("broken", {"alias": "3"}),
        ("broken", {"alias": ""}),
        ("broken", {"live": "3"}),
        ("update", {"live": "2", "alias": "2"}),
        ("update", {"alias": "2"}),
        ("cleanup", {"left": 1}),
        ("cleanup", {"left": None}),
    ],
)
def test_what_looks_like_an_end_and_is_not_the_right_one_is_told(part: str, wrong: dict[str, object]) -> None:
    assert problem(part, dataclasses.replace(GOOD[part], **wrong))  # type: ignore[arg-type]


def test_whatever_went_wrong_the_environment_is_removed_next_and_then_it_ends() -> None:
    assert [following(part, "") for part in drills.PARTS] == ["broken", "update", "cleanup", ""]
    assert [following(part, "it broke") for part in drills.PARTS] == ["cleanup", "cleanup", "cleanup", ""]


def test_the_broken_release_is_one_that_the_proxy_refuses_to_start_with() -> None:
    """The proxy's own settings say so: were they to take it, a drill would prove nothing."""
    given = {"SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:of-prod", "SECRET_TTL_S": "300"}
    good = WantedRelease("d", "c", 512, 29, given, "mark")
    from_environment(good.environment)
    with pytest.raises(SettingsError):
        from_environment(sabotage.broken(good).environment)
    assert sabotage.broken(good).fingerprint != good.fingerprint
