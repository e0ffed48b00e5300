"""The Secrets Manager adapter against moto."""

from __future__ import annotations

import boto3
import pytest
from chalicelib.adapters.secrets import SecretsManagerSecrets
from chalicelib.domain.aws.secrets import CURRENT, PENDING, PREVIOUS, release_label, staged_label
from chalicelib.domain.errors import BadRequest, Conflict, NotFound

from tests.functional.adapters.conftest import TAGS

NAME = "proxyctl/dev/openai"
V1, V2, V3 = "1" * 32, "2" * 32, "3" * 32


def secrets() -> SecretsManagerSecrets:
    """The adapter with a secret that has one version, V1."""
    adapter = SecretsManagerSecrets()
    adapter.create(NAME, "one", tags=TAGS, version_id=V1)
    return adapter


def stages() -> dict[str, str]:
    info = SecretsManagerSecrets().find(NAME)
    assert info is not None
    return dict(info.stages)


def test_a_secret_is_created_once_with_its_tags_and_the_second_request_is_refused() -> None:
    adapter = secrets()
    info = adapter.find(NAME)
    assert info is not None
    assert (info.current, info.tags) == (V1, TAGS)
    with pytest.raises(Conflict) as refused:
        adapter.create(NAME, "two", tags=TAGS, version_id=V2)
    assert refused.value.code == "SecretChanged"
    assert adapter.read(NAME).text == "one"


def test_a_staged_version_leaves_the_current_one_and_moving_makes_that_the_previous() -> None:
    adapter = secrets()
    adapter.add_version(NAME, "two", version_id=V2, stage=staged_label(V2))
    assert adapter.read(NAME).text == "one"
    assert adapter.read_version(NAME, V2).text == "two"
    adapter.move_current(NAME, to_version=V2, from_version=V1)
    assert (adapter.read(NAME).text, adapter.read(NAME, PREVIOUS).text) == ("two", "one")


def test_current_moves_only_away_from_the_version_that_the_caller_has_read() -> None:
    adapter = secrets()
    for version, text in ((V2, "two"), (V3, "three")):
        adapter.add_version(NAME, text, version_id=version, stage=staged_label(version))
    adapter.move_current(NAME, to_version=V2, from_version=V1)
    with pytest.raises(Conflict) as refused:
        adapter.move_current(NAME, to_version=V3, from_version=V1)
    assert refused.value.code == "SecretChanged"
    assert adapter.read(NAME).text == "two"


def test_the_same_version_twice_is_stored_once_and_with_another_text_refused() -> None:
    adapter = secrets()
    for _ in range(2):
        adapter.add_version(NAME, "two", version_id=V2, stage=staged_label(V2))
    with pytest.raises(Conflict) as refused:
        adapter.add_version(NAME, "three", version_id=V2, stage=staged_label(V2))
    assert refused.value.code == "IdempotencyKeyReused"


def test_a_label_moves_to_another_version_goes_away_and_is_refused_a_version_that_is_gone() -> None:
    adapter = secrets()
    adapter.add_version(NAME, "two", version_id=V2, stage=release_label(V2))
    adapter.label(NAME, PENDING, V2)
    adapter.label(NAME, PENDING, V1)
    assert stages()[PENDING] == V1
    for _ in range(2):
        adapter.unlabel(NAME, PENDING)
    assert PENDING not in stages()
    with pytest.raises(NotFound):
        adapter.label(NAME, PENDING, V3)
    with pytest.raises(NotFound):
        adapter.move_current(NAME, to_version=V3, from_version=V1)


def test_versions_are_listed_with_their_labels() -> None:
    adapter = secrets()
    adapter.add_version(NAME, "two", version_id=V2, stage=staged_label(V2))
    labels = {version.id: version.stages for version in adapter.versions(NAME)}
    assert labels == {V1: (CURRENT,), V2: (staged_label(V2),)}


def test_a_binary_value_is_bytes_and_no_empty_text() -> None:
    boto3.client("secretsmanager").create_secret(Name=NAME, SecretBinary=b"\x00key")
    stored = SecretsManagerSecrets().read(NAME)
    assert stored.key == b"\x00key"
    with pytest.raises(BadRequest, match="SecretBinary"):
        _ = stored.text


def test_the_text_is_not_in_the_repr() -> None:
    adapter = SecretsManagerSecrets()
    adapter.create(NAME, "sk-very-secret", tags=TAGS, version_id=V1)
    assert "sk-very-secret" not in repr(adapter.read(NAME))


def test_a_missing_secret_is_none_and_cannot_be_read() -> None:
    adapter = SecretsManagerSecrets()
    assert adapter.find(NAME) is None
    with pytest.raises(NotFound):
        adapter.read(NAME)


def test_a_scheduled_deletion_is_seen_and_cancelled_with_the_value_kept() -> None:
    adapter = secrets()
    adapter.delete(NAME, 7)
    doomed = adapter.find(NAME)
    assert doomed is not None
    assert doomed.doomed
    adapter.restore(NAME)
    assert adapter.read(NAME).text == "one"


def test_deleting_at_once_leaves_nothing_and_twice_is_no_error() -> None:
    adapter = secrets()
    adapter.delete(NAME, 0)
    assert adapter.find(NAME) is None
    adapter.delete(NAME, 7)
