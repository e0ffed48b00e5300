"""Facts about the settings in a plan: each changed field with its values and its effect."""

from __future__ import annotations

import dataclasses

import pytest
from chalicelib.domain.config import Config, Throttle
from chalicelib.domain.evidence.plan import SettingChange
from chalicelib.domain.model import Release
from chalicelib.phases.make_plan import plan, settings


def release(config: Config) -> Release:
    return Release("1", "d", "t", config=dataclasses.asdict(config))


def test_only_fields_that_differ_are_listed_with_both_values() -> None:
    before = release(Config(throttle=Throttle(80, 160), memory_mb=512))
    changes = settings.changes(Config(throttle=Throttle(80, 100), memory_mb=768), before)
    assert changes == (
        SettingChange("memory_mb", 512, 768, "users"),
        SettingChange("throttle.burst", 160, 100, "users"),
    )


def test_a_first_release_lists_every_field_with_nothing_before() -> None:
    changes = settings.changes(Config(), None)
    names = {change.field.partition(".")[0] for change in changes}
    assert names == {field.name for field in dataclasses.fields(Config)}
    assert {change.before for change in changes} == {None}


def test_an_equal_configuration_has_no_lines() -> None:
    assert settings.changes(Config(notify=("a@b.example",)), release(Config(notify=("a@b.example",)))) == ()


@pytest.mark.parametrize(
    ("config", "effect"),
    [
        (Config(memory_mb=768), "users"),
        (Config(throttle=Throttle(1, 1)), "users"),
        (Config(protected=True), "users"),
        (Config(secret_max_age_days=3), "candidate"),
        (Config(keep_versions=9), "none"),
        (Config(notify=("a@b.example",)), "none"),
    ],
)
def test_each_change_says_whom_it_reaches(config: Config, effect: str) -> None:
    assert {change.effect for change in settings.changes(config, release(Config()))} == {effect}


def test_the_text_shows_old_and_new_and_the_effect_and_the_digest_follows_the_settings() -> None:
    changes = settings.changes(Config(keep_versions=9, reserved_concurrency=5), release(Config()))
    text = plan.text((), changes)
    assert "keep_versions: 3 -> 9 (effect: none)" in text
    assert "reserved_concurrency: - -> 5 (effect: users)" in text
    assert plan.digest((), changes) != plan.digest(())
