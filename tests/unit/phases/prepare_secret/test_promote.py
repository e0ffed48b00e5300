"""prepare_secret of a promotion: the models that passed elsewhere, in the environment's own document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chalicelib.domain.aws.secrets import CURRENT, PENDING, staged_label
from chalicelib.domain.config import Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.fleets.promotions import Promotion, secret_version_id
from chalicelib.domain.model import Action
from chalicelib.engine.phase import Request
from chalicelib.phases.prepare_secret import models
from chalicelib.phases.prepare_secret import run as prepare_secret
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import FakeAws
from tests.fakes.requests import request, results

OWN_KEY, THEIR_KEY = "sk-ownownownownownown", "sk-theirtheirtheirtheir"
NAME, THEIRS = "proxyctl/dev/openai", "proxyctl/staging/openai"
FAST = {"fast": {"target": "gpt-4o-mini"}}
CLIENTS = [{"id": "team", "sha256": "a" * 64}]
VERSION = secret_version_id("d-new")


def document(key: str, **other: Any) -> dict[str, Any]:
    return {"schema": 1, "api_key": key, **other}


def world(own: dict[str, Any], theirs: dict[str, Any]) -> FakeAws:
    aws = FakeAws()
    aws.secrets.add(NAME, json.dumps(own))
    aws.secrets.add(THEIRS, json.dumps(theirs))
    return aws


def promoting(aws: FakeAws, **other: Any) -> Request:
    info = aws.secrets.find(THEIRS)
    promotion = Promotion("staging", "d-staging", secret_arn=info.arn if info else "", secret_version="v1")
    return request(action=Action.PROMOTE, promotion=promotion, **other)


def stored(aws: FakeAws, version: str) -> dict[str, Any]:
    text: dict[str, Any] = json.loads(aws.secrets.read_version(NAME, version).text)
    return text


def refused(aws: FakeAws, **other: Any) -> PhaseFailed:
    with pytest.raises(PhaseFailed) as caught:
        prepare_secret.run(promoting(aws, **other), aws.as_aws())
    shown = repr(caught.value.as_dict()) + repr(caught.value.evidence)
    assert OWN_KEY not in shown
    assert THEIR_KEY not in shown
    return caught.value


def test_only_the_models_are_taken_and_the_candidate_reads_them_first() -> None:
    own = document(OWN_KEY, models={"fast": {"target": "gpt-3.5"}}, client_keys=CLIENTS, retries=4)
    aws = world(own, document(THEIR_KEY, models=FAST, client_keys=None, retries=0))
    evidence = prepare_secret.run(promoting(aws), aws.as_aws()).evidence
    assert evidence is not None
    assert (evidence.version_id, evidence.replaces, evidence.targets) == (VERSION, "v1", {"fast": "gpt-4o-mini"})
    assert stored(aws, VERSION) == {**own, "models": FAST}
    info = aws.secrets.find(NAME)
    assert info is not None
    assert (info.stages[PENDING], info.stages[CURRENT]) == (VERSION, "v1")
    assert staged_label(VERSION) in info.stages


def test_the_same_models_store_no_version() -> None:
    spelled_out: dict[str, Any] = {"fast": {"target": "gpt-4o-mini", "fallbacks": [], "timeout_s": None}}
    aws = world(document(OWN_KEY, models=FAST), document(THEIR_KEY, models=spelled_out))
    evidence = prepare_secret.run(promoting(aws), aws.as_aws()).evidence
    assert evidence is not None
    assert (evidence.version_id, evidence.replaces) == ("v1", "")
    assert VERSION not in aws.secrets.kept[NAME].texts


def test_models_that_the_source_got_after_it_passed_are_not_taken() -> None:
    aws = world(document(OWN_KEY), document(THEIR_KEY, models=FAST))
    aws.secrets.add(THEIRS, json.dumps(document(THEIR_KEY, models={"new": {"target": "untested"}})))
    evidence = prepare_secret.run(promoting(aws), aws.as_aws()).evidence
    assert evidence is not None
    assert evidence.models == ("fast",)


def test_a_second_call_stores_nothing_again() -> None:
    aws = world(document(OWN_KEY), document(THEIR_KEY, models=FAST))
    first = prepare_secret.run(promoting(aws), aws.as_aws()).evidence
    assert prepare_secret.run(promoting(aws), aws.as_aws()).evidence == first


def test_a_model_whose_upstream_is_missing_is_named() -> None:
    azure = {"base_url": "https://azure.example/v1", "api_key": "their-azure-key-of-length"}
    models_ = {"fast": {"target": "gpt-4o", "upstream": "azure"}}
    theirs = document(THEIR_KEY, models=models_, upstreams={"azure": azure}) | {"schema": 2}
    error = refused(world(document(OWN_KEY), theirs))
    assert (error.code, error.field) == ("PromotedModelsDoNotFit", "models.fast.upstream")
    mine = document(OWN_KEY, upstreams={"azure": azure | {"api_key": "own-azure-key-of-length"}}) | {"schema": 2}
    evidence = prepare_secret.run(promoting(fits := world(mine, theirs)), fits.as_aws()).evidence
    assert evidence is not None
    assert stored(fits, VERSION)["upstreams"]["azure"]["api_key"] == "own-azure-key-of-length"


def test_a_version_that_secrets_manager_has_deleted_is_refused() -> None:
    aws = world(document(OWN_KEY), document(THEIR_KEY, models=FAST))
    aws.secrets.kept[THEIRS].texts.clear()
    assert refused(aws).code == "PromotedSecretGone"


def test_an_adopted_secret_is_not_written() -> None:
    aws = world(document(OWN_KEY), document(THEIR_KEY, models=FAST))
    adopted = aws.secrets.find(NAME)
    assert adopted is not None
    error = refused(aws, config=Config(secret_arn=adopted.arn))
    assert (error.code, error.field) == ("SecretAdopted", "config.secret_arn")


def test_the_fingerprint_reads_no_document_and_holds_after_the_promotion() -> None:
    aws = world(document(OWN_KEY), document(THEIR_KEY, models=FAST))
    before = prepare_secret.fingerprint(promoting(aws), aws.as_aws())
    evidence = prepare_secret.run(promoting(aws), aws.as_aws()).evidence
    assert evidence is not None
    aws.secrets.forbidden = True
    done = promoting(aws, results=results(evidence))
    pending = prepare_secret.fingerprint(done, aws.as_aws())
    aws.secrets.move_current(NAME, to_version=VERSION, from_version="v1")
    aws.secrets.unlabel(NAME, PENDING)
    assert prepare_secret.fingerprint(done, aws.as_aws()) == pending != before


_MODEL = st.fixed_dictionaries(
    {"target": st.sampled_from(["a", "b"])},
    optional={"fallbacks": st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True), "timeout_s": st.just(9)},
)


@given(st.dictionaries(st.sampled_from(["x", "y"]), _MODEL), st.dictionaries(st.sampled_from(["x", "y"]), _MODEL))
def test_models_are_the_same_exactly_when_taking_them_over_changes_nothing(
    theirs: dict[str, Any], own: dict[str, Any]
) -> None:
    def filled(every: dict[str, Any]) -> dict[str, Any]:
        return {name: {"fallbacks": [], "timeout_s": None, **model} for name, model in every.items()}

    assert models.are_same({"models": theirs}, {"models": own}) == (filled(theirs) == filled(own))
