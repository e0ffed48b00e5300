"""What a recorded call needs, and that the independent evaluator sees a policy that does not give it."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from judges import calls, documents, node_tools, simulate
from judges.calls import Call, Need, Place
from judges.documents import Sources
from tests.judges.plants import FAULTS, planted, statement

PLACE = Place()
TABLE = "arn:aws:dynamodb:eu-central-1:000000000000:table/proxyctl"
BUCKET = "arn:aws:s3:::proxyctl-000000000000-eu-central-1"


@pytest.fixture(scope="module")
def sources() -> Sources:
    return documents.read()


def call(function: str, service: str, operation: str, code: str = "", **params: Any) -> Call:
    return Call(f"proxyctl-{function}-1A2B", service, operation, params, {"method": "GET", "path": "/"}, code)


def disagreements(recorded: Sequence[Call], sources: Sources) -> list[str]:
    try:
        return simulate.disagreements(simulate.judge(calls.needs(recorded, PLACE), PLACE, sources))
    except node_tools.NodeIsMissing as missing:
        pytest.skip(str(missing))


WEBHOOK = call("Tell", "secretsmanager", "GetSecretValue", "ResourceNotFoundException", SecretId="proxyctl/dev/webhook")
NAMES = {"Bucket": "proxyctl-000000000000-eu-central-1", "Key": "nightly/2026-11-26.json"}


def test_the_function_names_its_policy() -> None:
    stems = [call(name, "s3", "GetObject").stem for name in ("LoadTest", "APIHandler", "Tell")]
    assert stems == ["load_test", "api", "tell"]


def test_a_stage_that_is_made_again_is_of_an_api_with_the_environments_tag(sources: Sources) -> None:
    """What the policies allow in a REST API depends on that tag; another function's role has no such statement."""
    http = {"method": "POST", "path": "/restapis/{restapi_id}/stages"}
    repaired = dataclasses.replace(call("DeployStack", "apigateway", "CreateStage", restApiId="a1"), http=http)
    assert disagreements([repaired], sources) == []
    untagged = dataclasses.replace(repaired, params={}, http=http | {"path": "/restapis/a1/stages"})
    assert len(disagreements([untagged], sources)) == 1
    other = dataclasses.replace(repaired, function="proxyctl-Bake-1A2B")
    assert len(disagreements([other], sources)) == 1


def test_a_transaction_needs_an_action_for_each_of_its_items() -> None:
    items = [{"Put": "proxyctl"}, {"Delete": "proxyctl"}, {"ConditionCheck": "proxyctl"}]
    recorded = calls.needs([call("Sweep", "dynamodb", "TransactWriteItems", TransactItems=items)], PLACE)
    assert [need.action for need in recorded] == [
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
    ]
    assert {need.resource for need in recorded} == {TABLE}


def test_a_query_of_an_index_is_about_the_index() -> None:
    (need,) = calls.needs([call("Sweep", "dynamodb", "Query", TableName="proxyctl", IndexName="by_all")], PLACE)
    assert need.resource == f"{TABLE}/index/by_all"


def test_an_empty_tagging_header_needs_another_permission_and_none_does_not() -> None:
    """Issue 10, row j."""
    plain = calls.needs([call("ListEnvironments", "s3", "PutObject", **NAMES)], PLACE)
    tagged = calls.needs([call("ListEnvironments", "s3", "PutObject", Tagging="", **NAMES)], PLACE)
    assert [need.action for need in plain] == ["s3:PutObject"]
    assert [need.action for need in tagged] == ["s3:PutObject", "s3:PutObjectTagging"]


def test_a_missing_secret_is_looked_up_without_a_suffix() -> None:
    (missing,) = calls.needs([WEBHOOK], PLACE)
    (there,) = calls.needs([call("Tell", "secretsmanager", "GetSecretValue", SecretId="proxyctl/dev/webhook")], PLACE)
    assert missing.resource.endswith("secret:proxyctl/dev/webhook")
    assert there.resource.endswith("secret:proxyctl/dev/webhook-AbCdEf")


def test_a_missing_object_needs_the_right_to_list_its_bucket(sources: Sources) -> None:
    """Issue 10, row n."""
    missing = call("PackageArtifact", "s3", "HeadObject", "404", Bucket=NAMES["Bucket"], Key="artifacts/dev/a.zip")
    needs = calls.needs([missing], PLACE)
    assert [(need.action, need.resource) for need in needs][1] == ("s3:ListBucket", BUCKET)
    assert disagreements([missing], sources) == []
    (line,) = disagreements([missing], planted(sources, FAULTS["n: package_artifact lists under a condition"]))
    assert "s3:ListBucket" in line


def test_a_stage_is_named_by_the_path_of_its_request() -> None:
    http = {"method": "GET", "path": "/restapis/{restapi_id}/stages/{stage_name}"}
    read = Call(
        "proxyctl-ConfigureMonitoring-1", "apigateway", "GetStage", {"restApiId": "a1", "stageName": "api"}, http, ""
    )
    (need,) = calls.needs([read], PLACE)
    assert (need.action, need.resource) == (
        "apigateway:GET",
        "arn:aws:apigateway:eu-central-1::/restapis/a1/stages/api",
    )


def test_what_is_allowed_and_was_allowed_is_no_disagreement(sources: Sources) -> None:
    candidate = {"method": "GET", "path": "http://127.0.0.1:4566/_aws/execute-api/a1b2/api/_candidate/health"}
    recorded = [
        WEBHOOK,
        call("ListEnvironments", "s3", "PutObject", **NAMES),
        call("Bake", "monitoring", "DescribeAlarms", AlarmNamePrefix="proxyctl/dev/"),
        Call("proxyctl-ReleaseCode-1", "execute-api", "Invoke", {}, candidate, ""),
    ]
    assert disagreements(recorded, sources) == []


@pytest.mark.parametrize(
    ("recorded", "fault"),
    [
        (WEBHOOK, "k: webhook-*"),
        (call("ConfigureMonitoring", "logs", "PutQueryDefinition"), "a: PutQueryDefinition on log groups"),
        (call("DeployStack", "logs", "DescribeLogGroups"), "a: DescribeLogGroups on log groups"),
        (
            call("PackageArtifact", "s3", "ListObjectsV2", Bucket=NAMES["Bucket"], Prefix="artifacts/"),
            "n: package_artifact lists under a condition",
        ),
    ],
)
def test_a_planted_fault_is_seen_in_a_recorded_call(recorded: Call, fault: str, sources: Sources) -> None:
    assert disagreements([recorded], sources) == []
    (line,) = disagreements([recorded], planted(sources, FAULTS[fault]))
    assert "allowed by the recorded cloud, ImplicitlyDenied by iam-simulate" in line


def test_the_empty_header_of_row_j_is_refused_by_the_role_that_lists_environments(sources: Sources) -> None:
    tagged = call("ListEnvironments", "s3", "PutObject", Tagging="", **NAMES)
    (line,) = disagreements([tagged], sources)
    assert "s3:PutObjectTagging" in line


def test_a_call_that_was_denied_and_would_be_allowed_is_a_disagreement(sources: Sources) -> None:
    denied = call("ListEnvironments", "s3", "PutObject", "AccessDenied", **NAMES)
    (line,) = disagreements([denied], sources)
    assert "denied by the recorded cloud, Allowed by iam-simulate" in line


def test_a_statement_that_no_call_used_is_listed(sources: Sources) -> None:
    widened = copy.deepcopy(sources)
    statement(widened, "bake", "SeeAlarms")["Sid"] = "Used"
    widened.policies["bake"]["Statement"].append(
        {"Sid": "Unused", "Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}
    )
    needs = calls.needs([call("Bake", "monitoring", "DescribeAlarms", AlarmNamePrefix="proxyctl/dev/")], PLACE)
    try:
        judged = simulate.judge(needs, PLACE, widened)
    except node_tools.NodeIsMissing as missing:
        pytest.skip(str(missing))
    unused = simulate.unused(judged, widened)
    assert "bake/Unused" in unused
    assert "bake/Used" not in unused


def test_a_lambda_without_a_recorded_call_is_silent(sources: Sources) -> None:
    heard = [Need(stem, "logs:PutLogEvents", "*") for stem in sources.policies if stem != "sweep"]
    assert simulate.silent(heard, sources) == ["sweep"]


def test_what_aws_does_in_a_roles_name_is_allowed(sources: Sources) -> None:
    """CloudFormation's handlers, log lines and the poller of the table's stream."""
    try:
        judged = simulate.judge(simulate.in_their_name(PLACE, sources), PLACE, sources)
    except node_tools.NodeIsMissing as missing:
        pytest.skip(str(missing))
    assert simulate.disagreements(judged) == []
    assert {each.need.stem for each in judged} == set(sources.policies)


def test_every_call_is_read_once(tmp_path: Path) -> None:
    line = json.dumps(
        {"function": "f", "service": "s3", "operation": "o", "params": {}, "http": {}, "code": "", "beyond": []}
    )
    (tmp_path / "1.jsonl").write_text(f"{line}\n{line}\n")
    (tmp_path / "2.jsonl").write_text(f"{line}\n")
    assert len(calls.read(tmp_path)) == 1


def test_a_call_in_a_target_is_judged_by_the_policy_there_with_its_account_and_region(sources: Sources) -> None:
    there = Place("eu-west-1", "222222222222")
    recorded = call("ReleaseCode", "lambda", "PublishVersion", FunctionName="proxyctl-eu-proxy")
    recorded = dataclasses.replace(recorded, account=there.account, region=there.region)
    assert recorded.target == there
    assert call("ReleaseCode", "lambda", "PublishVersion", FunctionName="f").target is None
    (need,) = calls.needs([recorded], there)
    assert need.resource == "arn:aws:lambda:eu-west-1:222222222222:function:proxyctl-eu-proxy"
    try:
        judged = simulate.judge([need], there, simulate.of_targets(sources))
        at_home = simulate.judge([need], PLACE, sources)
    except node_tools.NodeIsMissing as missing:
        pytest.skip(str(missing))
    assert not simulate.disagreements(judged)
    assert simulate.disagreements(at_home)


def test_assuming_a_targets_role_needs_that_role_with_the_external_id(sources: Sources) -> None:
    role = "arn:aws:iam::222222222222:role/proxyctl-target-eu-west-1-"
    own = call("ReleaseCode", "sts", "AssumeRole", RoleArn=f"{role}release-code", ExternalId="shop-7f3a")
    other = call("ReleaseCode", "sts", "AssumeRole", RoleArn=f"{role}bake", ExternalId="shop-7f3a")
    assert not disagreements([own], sources)
    assert disagreements([other], sources)
