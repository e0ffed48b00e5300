"""The Secrets Manager adapter against moto."""

from __future__ import annotations

import pytest
from chalicelib.adapters.secrets import SecretsManagerSecrets
from chalicelib.domain.errors import NotFound

from tests.functional.adapters.conftest import TAGS

NAME = "proxyctl/dev/openai"
ONE, TWO = "1" * 32, "2" * 32


def test_storing_twice_keeps_the_version_before_as_previous() -> None:
    secrets = SecretsManagerSecrets()
    first = secrets.store(NAME, "one", tags=TAGS, token=ONE)
    second = secrets.store(NAME, "two", tags=TAGS, token=TWO)
    assert first.arn == second.arn
    assert second.tags == TAGS
    assert secrets.read(NAME).text == "two"
    assert secrets.read(NAME, "AWSPREVIOUS").text == "one"
    assert second.stages["AWSCURRENT"] != second.stages["AWSPREVIOUS"]


def test_the_text_is_not_in_the_repr() -> None:
    secrets = SecretsManagerSecrets()
    secrets.store(NAME, "sk-very-secret", tags=TAGS, token=ONE)
    assert "sk-very-secret" not in repr(secrets.read(NAME))


def test_a_missing_secret_is_none_and_cannot_be_read() -> None:
    secrets = SecretsManagerSecrets()
    assert secrets.find(NAME) is None
    with pytest.raises(NotFound):
        secrets.read(NAME)


def test_deleting_dooms_at_first_and_storing_brings_back() -> None:
    secrets = SecretsManagerSecrets()
    secrets.store(NAME, "one", tags=TAGS, token=ONE)
    secrets.delete(NAME, 7)
    doomed = secrets.find(NAME)
    assert doomed is not None
    assert doomed.doomed
    assert not secrets.store(NAME, "two", tags=TAGS, token=TWO).doomed
    assert secrets.read(NAME).text == "two"


def test_deleting_at_once_leaves_nothing_and_twice_is_no_error() -> None:
    secrets = SecretsManagerSecrets()
    secrets.store(NAME, "one", tags=TAGS, token=ONE)
    secrets.delete(NAME, 0)
    assert secrets.find(NAME) is None
    secrets.delete(NAME, 7)
