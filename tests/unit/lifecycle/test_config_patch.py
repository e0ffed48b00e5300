"""Facts about a request's config: it changes what it names, null resets, and unknown or wrong fields are refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from chalicelib.domain.codec import encode
from chalicelib.domain.config import AlarmThresholds, Config, Throttle, Webhook
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.model import Release
from chalicelib.lifecycle.config_patch import patched, without_nulls
from hypothesis import given
from hypothesis import strategies as st

HAS = Config(
    memory_mb=640,
    throttle=Throttle(80, 160),
    alarms=AlarmThresholds(throttles=3),
    webhook=Webhook("https://hooks.example.com/x"),
    notify=("a@b.example",),
    protected=True,
    reserved_concurrency=5,
)
RELEASE = Release("1", "d", "t", config=encode(HAS))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "memory_mb": st.integers(128, 10_240),
    "timeout_s": st.integers(3, 900),
    "log_level": st.sampled_from(["DEBUG", "INFO", "WARNING", "ERROR"]),
    "protected": st.booleans(),
    "keep_versions": st.integers(1, 50),
    "reserved_concurrency": st.integers(1, 100),
    "notify": st.lists(st.just("c@d.example"), max_size=2),
}
PATCHES = st.dictionaries(st.sampled_from(sorted(VALUES)), st.none()).flatmap(
    lambda chosen: st.fixed_dictionaries({name: st.none() | VALUES[name] for name in chosen})
)


def patch(config: dict[str, Any], *, replaces: bool = False, release: Release | None = RELEASE) -> Config:
    return patched(config, release, replaces=replaces)[0]


@given(PATCHES)
def test_named_fields_change_null_ones_are_reset_and_all_others_stay(config: dict[str, Any]) -> None:
    after, default = patch(config), Config()
    for field in dataclasses.fields(Config):
        name = field.name
        wanted = config.get(name)
        if name not in config:
            assert getattr(after, name) == getattr(HAS, name)
        elif wanted is None:
            assert getattr(after, name) == getattr(default, name)
        else:
            assert getattr(after, name) == (tuple(wanted) if isinstance(wanted, list) else wanted)


def test_an_object_is_patched_and_a_null_inside_it_resets_that_field_alone() -> None:
    assert patch({"throttle": {"burst": 200}}).throttle == Throttle(80, 200)
    assert patch({"throttle": {"burst": None}}).throttle == Throttle(80, Throttle().burst)
    assert patch({"throttle": None}).throttle == Throttle()
    assert patch({"webhook": None}).webhook is None


def test_replace_starts_from_the_defaults() -> None:
    assert patch({"memory_mb": 768}, replaces=True) == Config(memory_mb=768)


def test_without_a_config_and_without_a_release_nothing_is_invented() -> None:
    assert patch({}) == HAS
    assert patch({}, release=None) == Config()


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"memry_mb": None}, "config.memry_mb"),
        ({"throttle": {"brst": None}}, "config.throttle.brst"),
        ({"memory_mb": 1}, "config.memory_mb"),
        ({"throttle": {"burst": "x"}}, "config.throttle.burst"),
        ({"throttle": 5}, "config.throttle"),
    ],
)
def test_a_wrong_field_is_named(config: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        patch(config)
    assert refused.value.field == field


def test_fields_of_another_version_of_the_control_plane_stay_unless_replaced() -> None:
    newer = Release("1", "d", "t", config=encode(HAS) | {"colour": "blue"})
    assert patched({"memory_mb": 768}, newer, replaces=False)[1] == {"colour": "blue"}
    assert patched({"memory_mb": 768}, newer, replaces=True)[1] == {}


def test_nulls_are_left_out_at_any_depth() -> None:
    assert without_nulls({"a": None, "b": {"c": None, "d": 1}, "e": []}) == {"b": {"d": 1}, "e": []}
