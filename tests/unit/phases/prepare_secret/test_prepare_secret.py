"""Facts about prepare_secret: what it refuses, who may read, and that the value stays inside."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from chalicelib.domain.aws.stacks import StackResource
from chalicelib.domain.config import Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.secret import Access, SecretEvidence
from chalicelib.domain.model import Action, Applied
from chalicelib.domain.names import Names
from chalicelib.phases.prepare_secret import run as prepare_secret

from tests.fakes import FakeAws
from tests.fakes.requests import NOW, environment, release, request

KEY = "sk-abcdefghijklmnopqrst"
NAME = "proxyctl/dev/openai"
GOOD = json.dumps({"schema": 1, "api_key": KEY, "models": {"fast": {"target": "gpt-4o-mini"}}})
BAD = json.dumps({"schema": 1, "api_key": KEY, "modls": {}})
ROLE = "proxyctl-dev-proxy-eu-central-1"
STRANGER = "proxyctl-RecordOutcomeRole-X"
READ = "secretsmanager:GetSecretValue"


def aws(*texts: str, role: bool = True) -> FakeAws:
    fake = FakeAws()
    for text in texts:
        fake.secrets.add(NAME, text)
    if role:
        fake.identity.roles.add(ROLE)
        info = fake.secrets.find(NAME)
        fake.stacks.add(Names("dev").stack, parameters={"SecretArn": info.arn if info else "", "SecretKmsKeyArn": ""})
    fake.identity.denied.add((STRANGER, READ))
    fake.stacks.owned["proxyctl"] = [StackResource("RecordOutcomeRole", STRANGER, "AWS::IAM::Role", "CREATE_COMPLETE")]
    return fake


def run(fake: FakeAws, **other: Any) -> SecretEvidence:
    evidence = prepare_secret.run(request(**other), fake.as_aws()).evidence
    assert evidence is not None
    return evidence


def failure(fake: FakeAws, **other: Any) -> PhaseFailed:
    with pytest.raises(PhaseFailed) as caught:
        run(fake, **other)
    assert KEY not in repr(caught.value.as_dict()) + repr(caught.value.evidence)
    return caught.value


def test_a_good_secret_is_described_without_its_key() -> None:
    result = prepare_secret.run(request(), aws(GOOD).as_aws())
    assert KEY not in repr(result)
    assert result.evidence is not None
    assert result.evidence.version_id == "v1"
    assert result.evidence.targets == {"fast": "gpt-4o-mini"}
    assert result.evidence.access == Access("allowed", "implicitDeny")
    assert result.summary.endswith("; the proxy's role can read it")


def test_a_missing_secret_says_how_to_store_it() -> None:
    error = failure(aws())
    assert error.code == "SecretMissing"
    assert "python -m ctl secret set dev" in str(error.remedy)


def test_an_adopted_arn_that_is_not_there_is_the_configurations_fault() -> None:
    error = failure(
        aws(GOOD), config=Config(secret_arn="arn:aws:secretsmanager:eu-central-1:123456789012:secret:other")
    )
    assert error.field == "config.secret_arn"


def test_an_adopted_secret_is_checked_like_ones_own() -> None:
    fake = aws()
    info = fake.secrets.add("theirs", GOOD)
    evidence = run(fake, config=Config(secret_arn=info.arn))
    assert (evidence.adopted, evidence.arn) == (True, info.arn)


def test_a_secret_that_is_about_to_be_deleted_is_refused() -> None:
    fake = aws(GOOD)
    fake.secrets.delete(NAME, 7)
    assert failure(fake).code == "SecretDoomed"


def test_a_malformed_secret_names_the_field() -> None:
    error = failure(aws(BAD))
    assert (error.code, error.field) == ("SecretMalformed", "modls")


def test_a_secret_that_is_not_json_is_refused() -> None:
    assert failure(aws("sk-just-the-key-abcdefgh")).field == "(document)"


def test_a_bad_new_secret_says_how_to_go_back_to_the_good_one_before() -> None:
    remedy = str(failure(aws(GOOD, BAD)).remedy)
    assert "--move-to-version-id v1 --remove-from-version-id v2" in remedy


def test_going_back_is_not_offered_where_the_one_before_is_bad_too() -> None:
    assert "--move-to-version-id" not in str(failure(aws(BAD, BAD)).remedy)


def test_the_previous_version_is_named_and_checked() -> None:
    evidence = run(aws(GOOD, GOOD))
    assert (evidence.version_id, evidence.previous_version_id) == ("v2", "v1")
    assert evidence.previous_is_good


def test_an_old_key_is_a_warning_and_no_failure() -> None:
    fake = aws()
    fake.secrets.add(NAME, GOOD, changed_at=NOW - timedelta(days=91))
    result = prepare_secret.run(request(), fake.as_aws())
    assert result.evidence is not None
    assert result.evidence.age_days == 91
    assert "rotate it" in result.summary
    assert run(fake, config=Config(secret_max_age_days=91)).warnings == ()


def test_a_keys_age_is_that_of_its_version_whatever_was_changed_since() -> None:
    """A tag, a label or a description changes the date of the secret, and no key."""
    fake = aws()
    info = fake.secrets.add(NAME, GOOD, changed_at=NOW)
    fake.secrets.kept[NAME].created[info.current] = NOW - timedelta(days=91)
    evidence = run(fake)
    assert (evidence.age_days, len(evidence.warnings)) == (91, 1)


def test_a_role_that_may_not_read_fails() -> None:
    fake = aws(GOOD)
    fake.identity.denied.add((ROLE, READ))
    error = failure(fake)
    assert error.code == "SecretAccess"
    assert "execution role may not read" in error.message


@pytest.mark.parametrize("policy", ["", '{"Statement": []}'], ids=["deleted", "changed"])
def test_a_policy_that_someone_changed_is_no_reason_to_fail_where_deploy_stack_writes_it_again(policy: str) -> None:
    """To fail here would mean that no deploy ever repairs it. A rotation has no such phase."""
    fake = aws(GOOD)
    fake.identity.denied.add((ROLE, READ))
    fake.identity.policies[ROLE] = policy
    stands = environment(applied={"deploy_stack": Applied("f", "d", "t", {"role_policy": "as the stack wrote it"})})
    access = run(fake, environment=stands).access
    assert access.execution_role == "NOT RUN: someone changed the policy of the role, and deploy_stack writes it again"
    assert failure(fake, environment=stands, action=Action.ROTATE).code == "SecretAccess"


def test_a_role_that_was_made_again_is_asked_under_its_name() -> None:
    fake = aws(GOOD)
    stack = fake.stacks.standing[Names("dev").stack]
    fake.stacks.add(Names("dev").stack, parameters={**stack.parameters, "RoleMark": "_2"})
    fake.identity.roles = {"proxyctl-dev_2-proxy-eu-central-1"}
    assert run(fake).access.execution_role == "allowed"


def test_a_secret_that_the_stack_does_not_know_yet_is_no_reason_to_fail() -> None:
    """deploy_stack, two phases later, lets the role read it: to fail here would mean that none is ever adopted."""
    fake = aws(GOOD)
    info = fake.secrets.add("theirs", GOOD)
    fake.identity.denied.add((ROLE, READ))
    access = run(fake, config=Config(secret_arn=info.arn)).access
    assert access.execution_role.startswith("NOT RUN: deploy_stack")
    assert access.stranger == "implicitDeny"


def test_a_previous_document_nested_too_deeply_is_only_no_way_back() -> None:
    assert run(aws("[" * 60_000, GOOD)).previous_is_good is False


def test_a_stranger_that_may_read_fails() -> None:
    fake = aws(GOOD)
    fake.identity.denied.clear()
    assert "no business" in failure(fake).message


def test_before_the_role_exists_its_access_is_not_run_rather_than_passed() -> None:
    access = run(aws(GOOD, role=False)).access
    assert access.execution_role.startswith("NOT RUN")
    assert access.stranger.startswith("NOT RUN")


def test_without_the_control_planes_stack_the_stranger_is_not_run() -> None:
    fake = aws(GOOD)
    fake.stacks.owned.clear()
    assert run(fake).access.stranger.startswith("NOT RUN")


def test_the_fingerprint_follows_the_version_and_age_and_not_the_role() -> None:
    fake = aws(GOOD)

    def print_of(**other: Any) -> str:
        return prepare_secret.fingerprint(request(**other), fake.as_aws())

    first = print_of()
    fake.identity.roles.clear()
    assert print_of() == first
    assert print_of(config=Config(log_level="DEBUG")) == first
    assert print_of(now=NOW + timedelta(days=91)) != first
    fake.secrets.add(NAME, GOOD)
    assert print_of() != first


def test_a_deletion_that_someone_scheduled_under_a_live_release_is_cancelled_and_named() -> None:
    fake = aws(GOOD)
    live = environment(live=release("2"), last_good=release("2"))
    same = prepare_secret.fingerprint(request(environment=live), fake.as_aws())
    fake.secrets.delete(NAME, 7)
    assert prepare_secret.fingerprint(request(environment=live), fake.as_aws()) != same
    result = prepare_secret.run(request(environment=live), fake.as_aws())
    assert "its deletion was scheduled, which is cancelled" in result.summary
    assert not fake.secrets.kept[NAME].info.doomed
    assert prepare_secret.fingerprint(request(environment=live), fake.as_aws()) == same


def test_after_a_clean_up_a_removed_key_stays_removed() -> None:
    fake = aws(GOOD)
    fake.secrets.delete(NAME, 7)
    assert failure(fake, environment=environment()).code == "SecretDoomed"
    assert fake.secrets.kept[NAME].info.doomed


def test_an_adopted_secret_that_is_scheduled_for_deletion_is_its_owners_matter() -> None:
    fake = aws(GOOD)
    fake.secrets.delete(NAME, 7)
    live = environment(live=release("2"), last_good=release("2"))
    arn = fake.secrets.kept[NAME].info.arn
    assert failure(fake, environment=live, config=Config(secret_arn=arn)).code == "SecretDoomed"
