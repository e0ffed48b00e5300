"""The environment's template and its parameters.

The template is handled as text, because Lambda's Python has no YAML parser. Two marker comments enclose the resources
that an API Gateway deployment takes a snapshot of. A third marks the place of the snapshot that users keep while the
candidate's stage has another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from chalicelib.domain.config import TIME_LIMITS_S, Config
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.model import Release
from chalicelib.engine.fingerprints import fingerprint

BEGIN, END = "# api: begin", "# api: end"
SNAPSHOT, LIVE_SNAPSHOT = "ApiDeploymentSnapshot", "LiveDeploymentSnapshot"
SNAPSHOT_TYPE = "AWS::ApiGateway::Deployment"
_USERS = "  # api: snapshot of users"
_OLD_ROLE_NAME = "      RoleName: !Sub proxyctl-${Environment}-proxy-${AWS::Region}\n"
_ROLE_NAME = "      RoleName: !Sub proxyctl-${Environment}${RoleMark}-proxy-${AWS::Region}\n"
_ROLE_MARK = '\nParameters:\n  RoleMark:\n    Type: String\n    Default: ""\n'
_BOUNDARY = (
    "      PermissionsBoundary: !Sub "
    "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/proxyctl-environment-boundary-${AWS::Region}\n"
)
# With a customer's boundary in its place the project's own limits hold as a denial (statemachine/resources.yaml).
_GUARD = (
    "      ManagedPolicyArns:\n        - !Sub "
    "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/proxyctl-environment-guard-${AWS::Region}\n"
)
_RETENTION = "      RetentionInDays: !Ref LogRetentionDays\n"
MAX_BYTES = 51_200  # CloudFormation's limit for a template in a request body

# Set when the stack is created and kept by every update: release_code changes code and function settings afterwards.
CREATION_ONLY = frozenset(
    {"ArtifactKey", "ArtifactBucket", "MemorySize", "TimeoutSeconds", "LogLevel", "SecretTtlSeconds"}
)
# What users feel at once when the stack changes: these follow at the shift (apply_settings).
ADDRESS = frozenset({"DomainName", "CertificateArn", "HostedZoneId", "WebAclArn"})
FELT = ADDRESS | {"ThrottleRate", "ThrottleBurst", "LogRetentionDays", "ReservedConcurrency"}
# These only keep the permission to read an older secret, so a change of them alone is no reason to update the stack.
IN_USE = frozenset({"SecretInUseArn", "SecretInUseKmsKeyArn"})
# Parameters whose value says nothing of what is wanted.
INCIDENTAL = IN_USE | {"Repair", "RoleMark"}
_SHAPING = ("ResponseMode", "IntegrationTimeoutMs", "Environment", "RequestIdHeader")


@dataclass(frozen=True, slots=True)
class StackInputs:
    """Inputs of the parameters beside `config`, from other phases and from the control plane's settings.

    in_use: the parameters of `IN_USE`, as `in_use` answers them. kms_key_arn: "" for the account's own key.
    runtime: Lambda's name of it. repair, role_mark: see the template.
    response_mode: stream or buffered. access_logs: whether API Gateway may write them.
    """

    environment: str = ""
    bucket: str = ""
    artifact_key: str = ""
    secret_arn: str = ""
    kms_key_arn: str = ""
    in_use: Mapping[str, str] = field(default_factory=dict)
    repair: str = ""
    role_mark: str = ""
    runtime: str = ""
    response_mode: str = "stream"
    access_logs: bool = False


def _api_lines(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.splitlines()]
    stripped = [line.strip() for line in lines]
    if stripped.count(BEGIN) != 1 or stripped.count(END) != 1 or SNAPSHOT not in text:
        raise BadRequest(
            f"template.yaml must have one line {BEGIN!r}, one line {END!r} and a resource {SNAPSHOT}",
            field="template.yaml",
            remedy="Put the marker comments around everything that an API deployment takes a snapshot of.",
        )
    enclosed = lines[stripped.index(BEGIN) + 1 : stripped.index(END)]
    return [line for line in enclosed if line.strip() and not line.strip().startswith("#")]


def snapshot_id(text: str, parameters: Mapping[str, str]) -> str:
    """The logical id of the API deployment; it changes exactly when the API changes.

    CloudFormation makes a new API deployment only for a new logical id. text: the template of the bundle; parameters:
    those of `shaping`. Raises BadRequest when the template lacks a marker comment or the resource.
    """
    return f"ApiDeployment{fingerprint(_api_lines(text), dict(parameters))[:12]}"


def with_snapshots(text: str, candidate: str, live: str, *, kept: str = "") -> str:
    """The template with the logical ids of the snapshot of each stage.

    candidate, live: of the candidate's stage and of the users'. kept: one more that stays in the stack. Those that are
    not `candidate` are declared without DependsOn: they exist, and what they were taken of may be gone from here.
    """
    others = sorted({live, kept} - {candidate, ""})
    declared = [
        f"  {name}:\n    Type: {SNAPSHOT_TYPE}\n    Properties:\n      RestApiId: !Ref Api\n" for name in others
    ]
    text = text.replace(_USERS, "\n".join(declared))
    return text.replace(LIVE_SNAPSHOT, live).replace(SNAPSHOT, candidate)


def with_role(text: str) -> str:
    """The template with what bundles of earlier versions lack of the proxy's role: its permissions boundary, and the
    part of its name that a role which was made again has.

    A rollback to such a bundle would otherwise take the boundary off, which CloudFormation's role may not do, or
    replace the role.
    """
    if "RoleMark:" not in text:
        text = text.replace("\nParameters:\n", _ROLE_MARK, 1).replace(_OLD_ROLE_NAME, _ROLE_NAME)
    return text if "PermissionsBoundary:" in text else text.replace(_ROLE_NAME, f"{_ROLE_NAME}{_BOUNDARY}")


def as_installed(text: str, *, boundary: str, kms_key_arn: str) -> str:
    """The template with what the installation asks for: its permissions boundary on the role, with the guard, and its
    key on the log groups. "" for neither. As text, so that a rollback to any bundle has them, too."""
    if boundary:
        text = text.replace(_BOUNDARY, f"      PermissionsBoundary: {boundary}\n{_GUARD}")
    if kms_key_arn:
        text = text.replace(_RETENTION, f"{_RETENTION}      KmsKeyId: {kms_key_arn}\n")
    return text


def declared(text: str) -> list[str]:
    """Names of the parameters that a template declares."""
    section = text.partition("\nParameters:\n")[2].partition("\nConditions:\n")[0]
    return re.findall(r"^  (\w+):$", section, re.MULTILINE)


def access_log_format(text: str) -> str:
    """The line that a stage of the template writes for each request; "" for a template without access logs."""
    folded = re.search(r"^ +Format: >-\n((?: +[{\"].*\n)+)", text, re.MULTILINE)
    return " ".join(line.strip() for line in folded[1].splitlines()) if folded else ""


def integration_timeout_ms(timeout_s: int, response_mode: str) -> int:
    """API Gateway's time limit in milliseconds: the function's, but at most 29,000 ms where it does not stream."""
    function_ms = timeout_s * 1_000
    return function_ms if response_mode == "stream" else min(function_ms, TIME_LIMITS_S["buffered"] * 1_000)


def restorable(config: Config) -> dict[str, str]:
    """Parameters of a release that only the stack holds and that change in place: a rollback can set them back."""
    return {
        "LogRetentionDays": str(config.log_retention_days),
        "ThrottleRate": f"{config.throttle.rate_per_s:g}",
        "ThrottleBurst": str(config.throttle.burst),
    }


def candidates(config: Config) -> dict[str, str]:
    """Parameters of the candidate's stage alone."""
    return {
        "CandidateThrottleRate": f"{config.throttle.rate_per_s:g}",
        "CandidateThrottleBurst": str(config.throttle.burst),
    }


def lasting(config: Config, response_mode: str) -> dict[str, str]:
    """Parameters that apply to the API or to all versions of the function: only a deploy changes them."""
    return {
        "IntegrationTimeoutMs": str(integration_timeout_ms(config.time_limit_s(response_mode), response_mode)),
        "ReservedConcurrency": "" if config.reserved_concurrency is None else str(config.reserved_concurrency),
        "RequestIdHeader": "on" if config.compatibility.request_id_header else "off",
        "MethodMetrics": "on" if config.alarms.gateway_dimensions == "method" else "off",
        **address(config),
    }


def address(config: Config) -> dict[str, str]:
    """Parameters of the users' domain and of what filters it; "" for none."""
    domain, waf = config.domain, config.waf
    return {
        "DomainName": domain.name if domain else "",
        "CertificateArn": domain.certificate_arn if domain else "",
        "HostedZoneId": (domain.hosted_zone_id or "") if domain else "",
        "WebAclArn": waf.web_acl_arn if waf else "",
    }


def in_use(
    config: Config, releases: Iterable[Release], *, own: str, wanted: str, current: Mapping[str, str]
) -> dict[str, str]:
    """The parameters of `IN_USE`: another secret that the newest of `releases` still reads, and its key; "" for none.

    own: ARN of the environment's own secret, wildcards allowed; wanted: ARN of the secret that is rolled out; current:
    the stack's parameters.
    """
    others = (release.config.get("secret_arn") for release in releases)
    other = next((arn or own for arn in others if arn != config.secret_arn), "")
    key = "SecretInUseKmsKeyArn" if current.get("SecretArn") == wanted else "SecretKmsKeyArn"
    return {"SecretInUseArn": other, "SecretInUseKmsKeyArn": current.get(key, "") if other else ""}


def parameters(config: Config, inputs: StackInputs, *, creates: bool) -> dict[str, str | None]:
    """Value by parameter name; None keeps the stack's value. creates: whether the stack does not exist yet."""
    values: dict[str, str | None] = {
        "Environment": inputs.environment,
        "ArtifactBucket": inputs.bucket,
        "ArtifactKey": inputs.artifact_key,
        "SecretArn": inputs.secret_arn,
        "SecretKmsKeyArn": inputs.kms_key_arn,
        **inputs.in_use,
        "Repair": inputs.repair,
        "RoleMark": inputs.role_mark,
        "Runtime": inputs.runtime,
        "ResponseMode": inputs.response_mode,
        "MemorySize": str(config.memory_mb),
        "TimeoutSeconds": str(config.time_limit_s(inputs.response_mode)),
        "LogLevel": config.log_level,
        "SecretTtlSeconds": str(config.secret_ttl_s),
        **restorable(config),
        **candidates(config),
        **lasting(config, inputs.response_mode),
        "AccessLogs": "on" if inputs.access_logs else "off",
    }
    if creates:
        return values
    return {name: None if name in CREATION_ONLY else value for name, value in values.items()}


PARAMETERS = frozenset({*parameters(Config(), StackInputs(), creates=True), *IN_USE})
"""Names of all parameters that the template must declare."""


def shaping(values: Mapping[str, str | None]) -> dict[str, str]:
    """Of all parameters, those whose change needs a new API deployment; None becomes ""."""
    return {name: values[name] or "" for name in _SHAPING}
