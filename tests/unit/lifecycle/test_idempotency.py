"""One key and body of one caller stand for one deployment."""

from __future__ import annotations

import hashlib
import re

import pytest
from chalicelib.domain.errors import BadRequest, Conflict
from chalicelib.domain.records import Claim
from chalicelib.lifecycle.idempotency import (
    claim_of,
    claimed_deployment,
    deployment_id,
    refuse_another_body,
    secret_claim,
)

BODY = {"environment": "dev", "options": {"force": True}}


def test_without_a_key_there_is_no_claim_and_every_deployment_has_an_id_of_its_own() -> None:
    assert claim_of(None, "ann", BODY) is None
    first, second = deployment_id(None), deployment_id(None)
    assert first != second
    assert re.fullmatch(r"d-[0-9a-f]{20}", first)


def test_the_id_follows_from_caller_and_key_and_the_digest_from_the_body_in_any_order() -> None:
    claim = claim_of("k", "ann", BODY)
    assert claim == claim_of("k", "ann", dict(reversed(BODY.items())))
    assert claim is not None
    other = claim_of("k", "ann", {"environment": "prod"})
    assert other is not None
    assert deployment_id(claim) == deployment_id(other)
    assert claim.body_sha256 != other.body_sha256
    assert deployment_id(claim) != deployment_id(claim_of("k", "bob", BODY))


@pytest.mark.parametrize("key", ["k", "k" * 255])
def test_a_key_has_1_to_255_printable_characters(key: str) -> None:
    assert claim_of(key, "ann", BODY)


@pytest.mark.parametrize("key", ["", "k" * 256, "a\nb"])
def test_any_other_key_is_refused(key: str) -> None:
    with pytest.raises(BadRequest) as refused:
        claim_of(key, "ann", BODY)
    assert refused.value.field == "Idempotency-Key"


def test_the_same_body_gives_the_deployment_and_another_is_refused() -> None:
    claim = claim_of("k", "ann", BODY)
    assert claim is not None
    used = Conflict("used before", claimed_by="d-1", body_sha256=claim.body_sha256)
    assert claimed_deployment(used, claim) == "d-1"
    with pytest.raises(Conflict) as refused:
        claimed_deployment(Conflict("used before", claimed_by="d-1", body_sha256="other"), claim)
    assert (refused.value.code, refused.value.claimed_by) == ("IdempotencyKeyReused", "d-1")


def test_a_start_that_was_refused_for_another_reason_stands_for_no_deployment() -> None:
    assert claimed_deployment(Conflict("busy", holder="d-2"), claim_of("k", "ann", BODY)) == ""
    assert claimed_deployment(Conflict("used before", claimed_by="d-1", body_sha256="x"), None) == ""


def test_a_claim_of_a_secret_is_scrypts_with_its_name_as_salt_in_any_order_of_the_body() -> None:
    body = {"api_key": "sk-1", "base_url": "u"}
    claim = secret_claim("k", "ann", "dev", body)
    assert claim is not None
    salt = b"secret/dev/ann#k"
    expected = hashlib.scrypt(b'{"api_key":"sk-1","base_url":"u"}', salt=salt, n=8_192, r=8, p=1, dklen=32)
    assert claim == Claim(salt.decode(), expected.hex())
    assert secret_claim("k", "ann", "dev", dict(reversed(body.items()))) == claim
    assert secret_claim(None, "ann", "dev", body) is None


def test_a_key_of_a_secret_that_was_used_with_another_body_is_refused() -> None:
    refuse_another_body(Claim("k", "a"), Claim("k", "a"))
    with pytest.raises(Conflict) as refused:
        refuse_another_body(Claim("k", "a"), Claim("k", "b"))
    assert refused.value.code == "IdempotencyKeyReused"
