"""The version that a deployment rolls becomes the pending one, under the lock; what another left is taken away."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chalicelib.domain.aws.secrets import CURRENT, PENDING, release_label, staged_label
from chalicelib.domain.config import Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.options import Options
from chalicelib.phases.prepare_secret import run as prepare_secret

from tests.fakes import FakeAws
from tests.fakes.requests import environment, release, request, results

NAME = "proxyctl/dev/openai"
GOOD = json.dumps({"schema": 1, "api_key": "sk-abcdefghijklmnopqrst"})
BAD = json.dumps({"schema": 1, "api_key": "sk-abcdefghijklmnopqrst", "modls": {}})


def world(staged: str = GOOD) -> FakeAws:
    """The current version is v1; `new` waits for its rollout."""
    aws = FakeAws()
    aws.secrets.add(NAME, GOOD)
    aws.secrets.add_version(NAME, staged, version_id="new", stage=staged_label("new"))
    return aws


def run(aws: FakeAws, **other: Any) -> SecretEvidence:
    evidence = prepare_secret.run(request(**other), aws.as_aws()).evidence
    assert evidence is not None
    return evidence


def stages(aws: FakeAws) -> dict[str, str]:
    info = aws.secrets.find(NAME)
    assert info is not None
    return dict(info.stages)


def rolling(**other: Any) -> Options:
    return Options(**{"secret_version": "new", "secret_base": "v1"} | other)


def test_the_version_to_roll_becomes_pending_and_the_current_one_stays() -> None:
    aws = world()
    evidence = run(aws, options=rolling())
    assert (evidence.version_id, evidence.replaces) == ("new", "v1")
    assert (stages(aws)[PENDING], stages(aws)[CURRENT]) == ("new", "v1")


def test_a_deployment_without_a_version_takes_away_the_pending_one_that_another_left() -> None:
    aws = world()
    aws.secrets.label(NAME, PENDING, "new")
    assert run(aws).version_id == "v1"
    assert PENDING not in stages(aws)


def test_a_malformed_version_is_refused_without_a_way_back_to_a_previous_one() -> None:
    aws = world(BAD)
    with pytest.raises(PhaseFailed) as refused:
        run(aws, options=rolling())
    assert (refused.value.code, refused.value.field) == ("SecretMalformed", "modls")
    assert "update-secret-version-stage" not in str(refused.value.remedy)
    assert stages(aws)[CURRENT] == "v1"


@pytest.mark.parametrize(
    ("options", "config", "code"),
    [
        (rolling(secret_base="v0"), Config(), "SecretChanged"),
        (rolling(secret_version="gone"), Config(), "SecretVersionGone"),
        (
            rolling(),
            Config(secret_arn="arn:aws:secretsmanager:eu-central-1:123456789012:secret:theirs"),
            "SecretAdopted",
        ),
    ],
)
def test_a_version_that_cannot_be_rolled_is_refused(options: Options, config: Config, code: str) -> None:
    aws = world()
    aws.secrets.add("theirs", GOOD)
    theirs = aws.secrets.kept["theirs"]
    theirs.info = type(theirs.info)(config.secret_arn or "x", "theirs", theirs.info.stages)
    with pytest.raises(PhaseFailed) as refused:
        run(aws, options=options, config=config)
    assert refused.value.code == code
    assert PENDING not in stages(aws)


def test_versions_of_releases_keep_a_label_and_others_lose_theirs() -> None:
    aws = world()
    aws.secrets.add_version(NAME, GOOD, version_id="old", stage=release_label("old"))
    aws.secrets.add_version(NAME, GOOD, version_id="older", stage=release_label("older"))
    good = release("1")
    run(aws, environment=environment(live=good, last_good=type(good)("1", "d", "t", secret_version="old")))
    labels = stages(aws)
    assert release_label("v1") in labels
    assert release_label("old") in labels
    assert release_label("older") not in labels
    assert staged_label("new") in labels  # another deployment waits with it


def test_the_fingerprint_is_the_same_before_and_after_the_promotion_and_differs_for_another_version() -> None:
    aws = world()
    call = request(options=rolling())
    before = prepare_secret.fingerprint(call, aws.as_aws())
    evidence = run(aws, options=rolling())
    informed = request(options=rolling(), results=results(evidence))
    pending = prepare_secret.fingerprint(informed, aws.as_aws())
    aws.secrets.move_current(NAME, to_version="new", from_version="v1")
    aws.secrets.unlabel(NAME, PENDING)
    assert before != pending
    assert prepare_secret.fingerprint(informed, aws.as_aws()) == pending
    assert prepare_secret.fingerprint(request(results=results(evidence)), aws.as_aws()) == pending
