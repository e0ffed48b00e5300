"""What only an account can show, as data: docs/fidelity.md prints it, `make verify-account` gives each row a verdict.

`python -m installer.verify.rows` writes the table into the page; a test compares them.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fidelity.md"
HEADING = "## Only an account can show"
_HEAD = "| row | what | command | what to switch if it fails |\n|---|---|---|---|\n"


@dataclass(frozen=True)
class Row:
    """key: its name in the results. mend: the setting that avoids the behaviour in doubt, "" if there is none.

    embedded: why the embedded cloud cannot show it, "" if it can. by_hand: why the command cannot, "" if it can.
    """

    key: str
    what: str
    command: str
    mend: str = ""
    embedded: str = ""
    by_hand: str = ""


_BUFFERED = "the emulator has no STREAM integrations, its proxy answers buffered"
_PROCESS = "the emulator runs the loop as `provided` on this machine's own processor"
ROWS = (
    Row(
        "up",
        "`up` itself: packaged template, SAM transform, arm64 Lambdas",
        "`python3 bootstrap.py up && python3 bootstrap.py status`",
        embedded="the emulator expands the template itself, and runs Lambdas on this machine's own processor",
    ),
    Row(
        "import",
        "A new stack of the control plane over the table that an earlier one has left",
        "`aws cloudformation delete-stack --stack-name proxyctl`, then `python3 bootstrap.py up`: it imports the "
        "table, and `status` lists the environments as before",
        by_hand="it would delete the stack that the other rows need",
    ),
    Row(
        "self-upgrade",
        "An upgrade by the control plane itself: CloudFormation with the rights of the Lambda `Upgrade`, under the "
        "boundary (here CloudFormation bypasses the caller's rights)",
        "two upgrades, to a release with another bundle and back: the API, the aliases `live`, the state machine and "
        "the stack are on the new release each time",
        mend="`python3 bootstrap.py up --direct`",
    ),
    Row(
        "streaming",
        "Response streaming through API Gateway (`ResponseTransferMode: STREAM`)",
        '`curl -N "$PROXY_BASE_URL/chat/completions" -H \'content-type: application/json\' -d \'{"model":"gpt-4o-mini",'
        '"stream":true,"messages":[{"role":"user","content":"count to 50"}]}\'`: events come one by one',
        mend='`config.response_mode: "buffered"`',
        embedded=_BUFFERED,
    ),
    Row(
        "stream-content-type",
        "The content type that the proxy gives its streams: two public projects had to drop "
        "`vnd.awslambda.http-integration-response` behind API Gateway, AWS's examples have it",
        "the same `curl` with `-i`: `content-type: text/event-stream`, and the body begins with `data:`",
        mend='`config.compatibility.stream_content_type: "octet-stream"`',
        embedded=_BUFFERED,
    ),
    Row(
        "long-stream",
        "A stream of ten minutes through API Gateway's STREAM integration, which needs no quota increase, and no alarm",
        "the same `curl`, asking a model that speaks or thinks for more than 29 s: it ends with `data: [DONE]`; "
        "`aws cloudwatch describe-alarms --state-value ALARM` lists none",
        mend="`config.timeout_s`",
        by_hand="the stub speaks for 1.5 s; here the loop is tested for ten minutes "
        "(`pytest -m long tests/functional/proxy/doors/test_long_stream.py`)",
    ),
    Row(
        "no-body",
        "Answers without a body in stream mode (HEAD, a preflight's 204), which were reported to hang elsewhere",
        '`curl -sI -m 10 "$PROXY_BASE_URL/models"`: an answer within 10 s; checks `head` and `no_content` of '
        "`validate_endpoints` passed",
        mend='`config.response_mode: "buffered"`',
        embedded=_BUFFERED,
    ),
    Row(
        "runtime-loop",
        "The runtime loop under `AWS_LAMBDA_EXEC_WRAPPER` on the managed arm64 runtime",
        "`aws lambda invoke --function-name proxyctl-<env>-proxy:candidate --payload '{}' /dev/stdout` after a deploy; "
        "the log has no `Runtime.ExitError`",
        embedded=_PROCESS,
    ),
    Row(
        "init-duration",
        "Init Duration of real cold starts",
        "`aws logs filter-log-events --log-group-name /aws/lambda/proxyctl-<env>-proxy "
        "--filter-pattern '\"Init Duration\"'`",
        embedded="the emulator's REPORT lines have none",
    ),
    Row(
        "weights",
        "Alias weights moving users by share",
        "a deploy with `options.bake.steps: [10, 50, 100]` while `aws cloudwatch get-metric-data` reads "
        "`AWS/Lambda Invocations` by `ExecutedVersion`",
        embedded="the emulator stores weights and sends all traffic to the main version",
    ),
    Row(
        "comparison",
        "The comparison of both versions' failures during a shift",
        "the same; the evidence of `shift_traffic` then has `against_live` with counts instead of NOT RUN",
        embedded="it rests on the weights",
    ),
    Row(
        "gateway-metrics",
        "API Gateway's own metrics, under the dimensions of the alarms on them",
        "`aws cloudwatch list-metrics --namespace AWS/ApiGateway --dimensions Name=ApiName,Value=proxyctl-<env> "
        "Name=Stage,Value=api` some minutes after requests",
        mend='`config.alarms.gateway_dimensions: "method"`',
        embedded="the emulator has no AWS/ApiGateway metrics",
    ),
    Row(
        "request-id-header",
        "Gateway responses that map `context.requestId` into `x-request-id`: documented for parameters of the request "
        "and static values only",
        "a deploy with `config.compatibility.request_id_header: true`, then "
        '`curl -i "${PROXY_BASE_URL%/v1}/_candidate/health"`: 403 with `x-request-id`',
        mend="`config.compatibility.request_id_header: false`, the default; the body has the id either way",
        embedded="the emulator takes any mapping",
    ),
    Row(
        "conditional-statements",
        "Conditional statements in preflight's simulation",
        "evidence of `preflight` has no `not_run`",
        embedded="the emulator's simulator ignores context keys",
    ),
    Row(
        "simulator-lists",
        "Preflight's lists of actions and resources before IAM's simulator, and its answer to task tokens",
        "evidence of `preflight` has `simulated.by_text` with `states:SendTaskSuccess`, and no finding with NOT RUN",
        embedded="the emulator's simulator allows task tokens by the state machine's ARN",
    ),
    Row(
        "emf",
        "EMF lines turned into metrics by CloudWatch",
        "`aws cloudwatch list-metrics --namespace proxyctl`",
        embedded="local/pump.py does it there",
    ),
    Row(
        "error-names",
        "Names of exceptions in Step Functions (`Throttled` retried)",
        "`aws stepfunctions get-execution-history` of a rollout that failed: the phase's error has its own name",
    ),
    Row(
        "drift",
        "Drift of API Gateway, aliases, permissions and the role's inline policy; that CheckDrift's role may read them "
        "for CloudFormation",
        "`options.heal: false` with `action: revalidate` after `aws iam put-role-policy …` on the proxy's role: "
        "`check_drift` names `/Policies`",
        embedded="the emulator's drift detection does not read inline policies",
    ),
    Row(
        "no-drift",
        "An untouched stack has no drift, also with an access log",
        "`action: revalidate` right after a deploy succeeds",
    ),
    Row(
        "schedules",
        "Nightly and sweeping schedules firing by themselves, with the time that they were due filled in",
        "`aws scheduler get-schedule --name proxyctl-nightly`, next morning `GET /nights` has the night",
        by_hand="a night has to pass",
    ),
    Row(
        "rollback-settings",
        "A rollback's settings under RestoreSettings' own policy: CloudFormation changes stage and log groups in its "
        "name",
        "a deploy with another `config.throttle`, then `action: rollback`: `restore_settings` says "
        "`ThrottleRate … -> …`, and `aws apigateway get-stage` shows it",
    ),
    Row(
        "night-map",
        "The night's Map under the role's own policy (S3 item reader, child executions), ten at once and no more",
        "`aws stepfunctions start-execution --state-machine-arn <NightArn>`, then `list-map-runs` and "
        "`describe-map-run` of it: `maxConcurrency` 10, no `failed`",
        by_hand="it would revalidate every environment of the account",
    ),
    Row(
        "killed-lambda",
        "A killed Lambda is called again (`Runtime.ExitError`; here only one that ran out of its time is), and then "
        "goes on",
        "`aws stepfunctions get-execution-history` after one was killed for its memory: `LambdaFunctionFailed`, then "
        "`LambdaFunctionScheduled`",
        by_hand="it takes a Lambda that runs out of memory in the middle of a phase",
    ),
    Row(
        "revision-id",
        "Setting an alias to the version that it is on gives it another `RevisionId` (what fences off the Lambda of a "
        "stopped execution)",
        "twice `aws lambda update-alias --function-name proxyctl-<env>-proxy --name candidate --function-version "
        "<same>`: two `RevisionId`s",
    ),
    Row(
        "adopted-secret",
        "Adopting a secret (`config.secret_arn`): the policies allow it for secrets tagged `proxyctl:owner=proxyctl` "
        "only",
        "`aws secretsmanager tag-resource --secret-id <arn> --tags Key=proxyctl:owner,Value=proxyctl`, then a deploy",
        by_hand="it takes a secret of yours",
    ),
    Row(
        "same-digest",
        "The same artifact digest on two machines (here: two processes with other hash seeds, and another compression)",
        "two clones: evidence `digest` of `package_artifact`",
        by_hand="it takes a second machine; this one's digest is in the JSON file",
    ),
    Row(
        "targets",
        "An environment in another account and region: AssumeRole across accounts with the external ID, how soon a new "
        "role may be assumed, service control policies, regions that the account has not enabled",
        "`AWS_PROFILE=other AWS_REGION=eu-west-1 python3 bootstrap.py target --home <account>`, its block into an "
        "environment's file, then `python -m ctl apply <file>`, `python -m ctl fleet deploy all --wave <env>`, "
        "`python -m ctl cleanup <env>` and `bootstrap.py target --remove`",
        by_hand="it takes credentials of a second account",
    ),
    Row(
        "still-listed",
        "What Resource Groups Tagging lists of an environment that is gone; clean-up goes by name there",
        "`aws resourcegroupstaggingapi get-resources --tag-filters Key=proxyctl:environment,Values=<env>` right after "
        "a clean-up: nothing but what the evidence of `clean_up` has as `still_listed`",
        by_hand="how long AWS goes on listing is nobody's promise; the emulator lists what exists",
    ),
    Row(
        "cost-at-rest",
        "What an environment costs a month while nobody uses it (`python -m bench costs` computes $1.42)",
        "`aws ce get-cost-and-usage --time-period Start=<first>,End=<last> --granularity MONTHLY "
        '--metrics UnblendedCost --filter \'{"Tags":{"Key":"proxyctl:environment","Values":["<env>"]}}\'`, with that '
        "cost allocation tag active",
        by_hand="a month has to pass",
    ),
    Row(
        "provider",
        "The provider's real answers",
        "a deploy with a real key in the secret: phases 7 and 9 use it; phase 8's upstream faults say NOT RUN there",
        by_hand="no token is paid here",
    ),
)


def table() -> str:
    """The rows in Markdown."""
    return _HEAD + "".join(f"| {row.key} | {row.what} | {row.command} | {row.mend or '—'} |\n" for row in ROWS)


def written(page: str) -> str:
    """The page with the table of this module under its heading. Raises ValueError without that heading."""
    before, heading, rest = page.partition(f"{HEADING}\n")
    if not heading:
        raise ValueError(f"the page has no heading {HEADING!r}")
    introduction, _, after = rest.partition("\n| ")
    _, _, following = after.partition("\n\n")
    return f"{before}{heading}{introduction}\n{table()}\n{following}"


def main() -> int:
    """Write the page."""
    PAGE.write_text(written(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
