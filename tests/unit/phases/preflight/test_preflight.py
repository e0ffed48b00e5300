"""Facts about preflight: it names everything that is wrong, each with a remedy, and changes nothing."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, cast

import pytest
from chalicelib.domain.aws.functions import ConcurrencyLimits, FunctionConfig
from chalicelib.domain.aws.gateway import GatewayAccount
from chalicelib.domain.aws.identity import Caller
from chalicelib.domain.aws.stacks import StackResource
from chalicelib.domain.codec import encode
from chalicelib.domain.config import Config, Throttle, Webhook
from chalicelib.domain.errors import AwsCallFailed, BadRequest, PhaseFailed
from chalicelib.domain.evidence.preflight import Build, Finding, PreflightEvidence
from chalicelib.domain.model import Action
from chalicelib.domain.names import OWNER_TAG
from chalicelib.domain.options import Load, Options
from chalicelib.engine.policies import of_rollouts, role_of
from chalicelib.phases.preflight import run as preflight
from chalicelib.phases.preflight.policy_text import resourceless
from chalicelib.stack.template import PARAMETERS

from tests.fakes import FakeAws, settings
from tests.fakes.requests import environment, release, request
from tests.unit.artifacts.test_assembly import bundle

STACK = "proxyctl-env-dev"
TEMPLATE = b"Resources:\n# api: begin\n  Api: {}\n# api: end\n  ApiDeploymentSnapshot: {}\n"


def aws(template: bytes = TEMPLATE) -> FakeAws:
    """All is well in this account."""
    fake = FakeAws()
    fake.stacks.owned["proxyctl"] = [
        StackResource(role_of(stem), role_of(stem), "AWS::IAM::Role", "CREATE_COMPLETE") for stem in of_rollouts()
    ]
    fake.artifacts.objects["bundles/abc.zip"] = bundle(**{"template.yaml": template})
    fake.stacks.parameters = sorted(PARAMETERS)
    fake.secrets.add("proxyctl/dev/openai", "{}")
    return fake


def run(fake: FakeAws, **other: Any) -> PreflightEvidence:
    evidence = preflight.run(request(**({"environment": environment()} | other)), fake.as_aws()).evidence
    assert evidence is not None
    return evidence


def findings(fake: FakeAws, **other: Any) -> tuple[Finding, ...]:
    """All of them, whether they stop the deployment or not."""
    try:
        every = run(fake, **other).findings
    except PhaseFailed as error:
        every = error.evidence["findings"]
    assert all(finding.remedy for finding in every)
    return every


def test_a_good_account_passes_and_every_role_was_asked_about() -> None:
    fake = aws()
    evidence = run(fake)
    assert evidence.findings == ()
    assert evidence.simulated.roles == len(of_rollouts())
    assert evidence.simulated.actions == len(ACTIONS)
    assert {role for role, _, _ in fake.identity.questions} == {role_of(stem) for stem in of_rollouts()}


def test_the_summary_counts_what_was_checked_and_quotes_warnings() -> None:
    fake = aws()
    counts = f"{len(ACTIONS)} actions of {len(of_rollouts())} roles checked"
    assert preflight.run(request(), fake.as_aws()).summary == f"Preflight OK: {counts}"
    fake.gateway.settings = GatewayAccount("", 10_000, 5_000)
    summary = preflight.run(request(), fake.as_aws()).summary
    assert summary.startswith(f"Preflight OK: {counts}. 1 warning: the account has no CloudWatch role")


def test_the_record_of_a_check_that_did_not_run_is_empty() -> None:
    evidence = encode(run(aws(), action=Action.REVALIDATE))
    assert (evidence["artifact"], evidence["findings"]) == ({}, [])
    assert set(cast(dict[str, Any], evidence["simulated"])) == {"roles", "actions"}


def test_the_embedded_cloud_leaves_conditional_statements_out_and_says_so() -> None:
    fake = dataclasses.replace(aws(), settings=settings(endpoint_url="http://127.0.0.1:4566"))
    simulated = run(fake).simulated
    assert simulated.actions < len(ACTIONS)
    assert str(simulated.not_run).startswith("NOT RUN, conditional: ")
    assert "deploy_stack iam:PassRole" in str(simulated.not_run)


def test_what_would_be_built_is_measured() -> None:
    build = run(aws()).artifact
    assert build.files
    assert build.unpacked_bytes


def test_nothing_is_changed() -> None:
    fake = aws()
    before = copy.deepcopy((fake.artifacts.objects, fake.stacks.standing, fake.secrets.kept, fake.logs.kept))
    run(fake)
    assert (fake.artifacts.objects, fake.stacks.standing, fake.secrets.kept, fake.logs.kept) == before
    assert fake.stacks.did == []


ACTIONS = [
    (stem, action)
    for stem, document in of_rollouts().items()
    for statement in document["Statement"]
    for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
]


@pytest.mark.parametrize(("stem", "action"), sorted(set(ACTIONS)))
def test_any_action_of_any_role_that_is_taken_away_is_named(stem: str, action: str) -> None:
    """It stops the deployment, unless IAM's simulator cannot judge the action."""
    fake = aws()
    fake.identity.denied.add((role_of(stem), action))
    named = [finding for finding in findings(fake) if f"{stem} may not {action}" in finding.message]
    assert named
    assert {finding.blocks for finding in named} == {action not in resourceless()}


def test_conditions_are_part_of_the_question() -> None:
    fake = aws()
    run(fake)
    passing = {role: context for role, action, context in fake.identity.questions if action == "iam:PassRole"}
    assert passing["ChangeStacksRole"]["iam:PassedToService"] == "lambda.amazonaws.com"
    assert passing["ChangeStacksRole"]["iam:PermissionsBoundary"] == fake.settings.boundary_arn
    assert passing["DeployStackRole"]["iam:PassedToService"] == "cloudformation.amazonaws.com"


def test_a_boundary_and_a_key_of_the_customers_are_part_of_the_question() -> None:
    key = "arn:aws:kms:eu-central-1:123456789012:key/1234"
    fake = aws()
    fake.settings = dataclasses.replace(
        fake.settings, boundary="arn:aws:iam::123456789012:policy/theirs", kms_key_arn=key
    )
    run(fake)
    contexts = [context for _, action, context in fake.identity.questions if action == "iam:CreateRole"]
    assert {context["iam:PermissionsBoundary"] for context in contexts} == {fake.settings.boundary}
    contexts_of_key = {
        role: context for role, action, context in fake.identity.questions if action == "kms:GenerateDataKey"
    }
    assert contexts_of_key["PackageArtifactRole"]["kms:ViaService"].endswith(".eu-central-1.amazonaws.com")
    without = aws()
    run(without)
    assert not [action for _, action, _ in without.identity.questions if action == "kms:GenerateDataKey"]


def test_all_problems_are_named_at_once() -> None:
    fake = aws()
    fake.identity.denied.add((role_of("bake"), "cloudwatch:DescribeAlarms"))
    del fake.artifacts.objects["bundles/abc.zip"]
    fake.secrets.kept.clear()
    fake.functions.concurrency = ConcurrencyLimits(3, 3)
    with pytest.raises(PhaseFailed, match=r"^4 problems: ") as caught:
        run(fake)
    assert {finding.check for finding in caught.value.evidence["findings"]} == {
        "permissions",
        "quotas",
        "artifact",
        "secret",
    }
    assert str(caught.value.remedy).count(" | ") == 3


def _changed(**changes: Any) -> FakeAws:
    fake = aws()
    for name, value in changes.items():
        port, _, attribute = name.partition("__")
        setattr(getattr(fake, port), attribute, value)
    return fake


@pytest.mark.parametrize(
    ("fake", "request_of", "check", "blocks", "words"),
    [
        (_changed(identity__who=Caller("999999999999", "arn:aws:iam::9:x")), {}, "identity", True, "999999999999"),
        (_changed(identity__who=Caller("123456789012", "arn:aws-cn:iam::1:x")), {}, "identity", True, "aws-cn"),
        (
            _changed(functions__concurrency=ConcurrencyLimits(1_000, 50)),
            {"options": Options(load=Load(rps=100))},
            "quotas",
            True,
            "needs about 403",
        ),
        (
            _changed(functions__concurrency=ConcurrencyLimits(1_000, 150)),
            {"config": Config(reserved_concurrency=51)},
            "quotas",
            True,
            "would leave 99",
        ),
        (_changed(gateway__settings=GatewayAccount("", 10_000, 5_000)), {}, "api_gateway", False, "no CloudWatch role"),
        (
            _changed(gateway__settings=GatewayAccount("arn:role", 50, 5_000)),
            {"config": Config(throttle=Throttle(60, 100))},
            "api_gateway",
            False,
            "above the account's own",
        ),
        (
            aws(),
            {"config": Config(timeout_s=60, response_mode="buffered")},
            "api_gateway",
            False,
            "ends buffered requests after 29 s",
        ),
        (_changed(stacks__parameters=AwsCallFailed("ValidationError: bad")), {}, "template", True, "not valid"),
        (_changed(stacks__parameters=["Environment"]), {}, "template", True, "lacks the parameter AccessLogs"),
        (
            _changed(stacks__parameters=[*PARAMETERS, "Extra"]),
            {},
            "template",
            True,
            "declares the parameter Extra",
        ),
        (aws(b"# no marks"), {}, "template", True, "must have one line"),
        (aws(TEMPLATE + b"#" * 51_200), {}, "template", True, "bytes"),
        (
            aws(),
            {"config": Config(webhook=Webhook("https://a.example/"))},
            "webhook",
            False,
            "no secret proxyctl/dev/web",
        ),
        (
            _changed(logs__kept={}),
            {"config": Config(secret_arn="arn:aws:secretsmanager:eu-central-1:123456789012:secret:x")},
            "secret",
            True,
            "secret:x does not exist",
        ),
    ],
)
def test_each_problem_is_named(fake: FakeAws, request_of: dict[str, Any], check: str, blocks: bool, words: str) -> None:
    named = [finding for finding in findings(fake, **request_of) if finding.check == check]
    assert any(words in finding.message and finding.blocks is blocks for finding in named), named


def test_sources_that_cannot_be_built_are_named() -> None:
    fake = aws()
    fake.artifacts.objects["bundles/abc.zip"] = bundle(**{"proxy/core.py": b"def broken(:"})
    (finding,) = findings(fake)
    assert (finding.check, finding.field) == ("artifact", "proxy/core.py")


@pytest.mark.parametrize("what", ["function", "log group", "role"])
def test_a_name_that_someone_else_has_taken_stops_before_the_stack_is_created(what: str) -> None:
    fake = aws()
    if what == "function":
        fake.functions.latest["proxyctl-dev-proxy"] = FunctionConfig("", 128, 3, {}, "python3.11")
    elif what == "role":
        fake.identity.roles.add("proxyctl-dev-proxy-eu-central-1")
    else:
        fake.logs.add("/aws/lambda/proxyctl-dev-proxy")
        fake.logs.add("/aws/lambda/proxyctl-dev-proxy-of-another")
    (finding,) = findings(fake)
    assert finding.check == "names"
    assert finding.message.startswith(what)


def test_in_a_standing_environment_its_own_names_are_not_taken() -> None:
    fake = aws()
    fake.stacks.add(STACK, tags={OWNER_TAG: "proxyctl"})
    fake.logs.add("/aws/lambda/proxyctl-dev-proxy")
    fake.functions.add("proxyctl-dev-proxy", FunctionConfig("c", 128, 3, {}, "python3.11"), live="1", versions=1)
    assert findings(fake) == ()


def test_a_function_that_was_deleted_outside_cloudformation_is_named_and_deploy_stack_makes_it_again() -> None:
    fake = aws()
    fake.stacks.add(STACK, tags={OWNER_TAG: "proxyctl"})
    (finding,) = findings(fake)
    assert (finding.blocks, "deleted by hand" in finding.message) == (False, True)


def test_an_adopted_secret_that_is_not_ours_to_read_is_one_finding_among_the_others() -> None:
    fake = aws(b"# no marks")
    fake.secrets.hidden = True
    every = findings(fake, config=Config(secret_arn="arn:aws:secretsmanager:eu-central-1:123456789012:secret:x"))
    assert {finding.check for finding in every} == {"template", "secret"}
    assert any("tag-resource" in finding.remedy for finding in every)


def test_a_stack_of_someone_else_by_our_name_stops() -> None:
    fake = aws()
    fake.stacks.add(STACK)
    assert "is not ours" in findings(fake)[0].message


@pytest.mark.parametrize(("status", "blocks"), [("IMPORT_ROLLBACK_FAILED", True), ("ROLLBACK_COMPLETE", False)])
def test_a_stack_that_must_be_settled_first_is_named(status: str, blocks: bool) -> None:
    fake = aws()
    fake.stacks.add(STACK, status, tags={OWNER_TAG: "proxyctl"})
    assert [finding.blocks for finding in findings(fake) if finding.check == "stack"] == [blocks]


def test_a_doomed_secret_under_a_live_release_is_named_and_stops_nothing() -> None:
    """prepare_secret cancels the deletion; after a clean-up nothing is live, and the key stays removed."""
    fake = aws()
    fake.secrets.delete("proxyctl/dev/openai", 7)
    live = environment(live=release("2"), last_good=release("2"))
    result = preflight.run(request(environment=live), fake.as_aws())
    assert "scheduled for deletion" in result.summary


def test_a_doomed_secret_stops() -> None:
    fake = aws()
    fake.secrets.delete("proxyctl/dev/openai", 7)
    assert "scheduled for deletion" in findings(fake)[0].message


def test_without_the_control_planes_stack_permissions_are_not_run() -> None:
    fake = aws()
    fake.stacks.owned.clear()
    (finding,) = findings(fake)
    assert finding.message.startswith("NOT RUN")
    assert not finding.blocks


def test_a_revalidation_asks_about_permissions_only() -> None:
    fake = aws()
    fake.artifacts.objects.clear()
    fake.secrets.kept.clear()
    evidence = run(fake, action=Action.REVALIDATE)
    assert (evidence.findings, evidence.artifact) == ((), Build())


def test_a_name_that_no_service_would_take_is_refused() -> None:
    with pytest.raises(BadRequest):
        run(aws(), environment=dataclasses.replace(environment(), name="Bad_Name"))
