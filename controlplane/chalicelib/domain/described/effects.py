"""What each field of the configuration and of the options does, by its path. A test holds it against the types."""

from __future__ import annotations

from collections.abc import Mapping

EFFECTS: Mapping[str, str] = {
    # The environment, stored with every release.
    "config.memory_mb": "Memory of the proxy's function; its share of a processor grows with it.",
    "config.timeout_s": "Longest that an answer may take; null is the longest that the response mode allows "
    "(29 s when it is buffered).",
    "config.log_level": "Lowest level that the proxy logs.",
    "config.log_retention_days": "How long CloudWatch Logs keeps the proxy's and the gateway's log.",
    "config.throttle": "API Gateway's throttle; above it, callers get 429 with a retry-after.",
    "config.throttle.rate_per_s": "Requests a second that the stage takes in the long run.",
    "config.throttle.burst": "Requests above the rate that the stage takes at once.",
    "config.alarms": "When each alarm fires, on a minute of data. An alarm during shift or bake rolls back.",
    "config.alarms.error_rate": "Share of requests that the proxy answers with 5xx, and of invocations that crash.",
    "config.alarms.server_error_rate": "Share of requests that API Gateway answers with 5xx.",
    "config.alarms.client_error_rate": "Share of requests that API Gateway answers with 4xx.",
    "config.alarms.overhead_p99_ms": "99th percentile of the proxy's own time for a whole answer, in milliseconds.",
    "config.alarms.first_byte_p99_ms": "99th percentile of the proxy's own time until the first byte, in milliseconds.",
    "config.alarms.throttles": "Throttled calls of the function.",
    "config.alarms.concurrency": "Executions of the function at the same time; null makes no such alarm.",
    "config.alarms.secret_failures": "Failed attempts of the proxy to read its secret.",
    "config.alarms.gateway_dimensions": "What the alarms on API Gateway watch: `method`, the public method only, or "
    "`stage`, the whole stage with the candidate's requests.",
    "config.notify": "Who gets SNS messages about this environment: e-mail addresses, https URLs, ARNs of SQS queues "
    "or Lambda functions; 4,096 characters in all.",
    "config.webhook": "A receiver of every state change, signed with the key in `proxyctl/<env>/webhook`.",
    "config.webhook.url": "A public https URL.",
    "config.response_mode": "How API Gateway passes answers on: `stream` or `buffered`; null takes the control "
    "plane's own setting.",
    "config.secret_arn": "ARN of a secret that somebody else keeps, instead of `proxyctl/<env>/openai`. It is read, "
    "and never changed or removed.",
    "config.secret_max_age_days": "Age from which on a rollout warns that the key should be rotated.",
    "config.secret_ttl_s": "How long a process of the proxy serves with the secret that it has read.",
    "config.reserved_concurrency": "Executions that are reserved for the function and are its limit; null reserves "
    "none.",
    "config.heal_at_night": "A night puts drift back where that is safe. A live alias that someone moved stays.",
    "config.keep_versions": "Function versions to keep, beside those that are live or needed for a rollback.",
    "config.protected": "Refuse `cleanup`.",
    "config.ttl_hours": "Clean the environment up so many hours after each deploy; 0 or null keeps it.",
    "config.target": "The account and region where the environment is, as `bootstrap.py target` prints it there; "
    "null is the control plane's own. It is fixed while the environment exists.",
    "config.target.role_arn": "The target's role; each function of the control plane assumes one of its own, named "
    "after it.",
    "config.target.external_id": "Sent with each sts:AssumeRole; the roles there require it.",
    "config.target.region": "The region.",
    "config.target.boundary": "ARN of the permissions boundary of `bootstrap.py target --boundary`; null is the "
    "project's own for environments' roles.",
    "config.target.kms_key_arn": "ARN of the KMS key of `bootstrap.py target --kms-key`; null encrypts with AWS's own "
    "keys.",
    "config.target.bucket": "The bucket of `bootstrap.py target --bucket`; null is the one that the command made.",
    "config.target.tags": "The tags of `bootstrap.py target --tag`, as KEY=VALUE, for all resources there.",
    "config.domain": "A domain of your own that users call; it follows the shift and goes back with the release. null "
    "is API Gateway's address.",
    "config.domain.name": "The host name, in lower case. One environment a region has it.",
    "config.domain.certificate_arn": "ARN of an issued ACM certificate for the name, in the environment's account and "
    "region.",
    "config.domain.hosted_zone_id": "Route 53's public zone in which the records are made; null where you keep them.",
    "config.waf": "A web ACL of yours in front of the users' stage, also at API Gateway's own address.",
    "config.waf.web_acl_arn": "ARN of a web ACL of scope REGIONAL in the environment's account and region.",
    "config.compatibility": "Switches for behaviour of AWS that its documentation leaves open.",
    "config.compatibility.request_id_header": "Put `x-request-id` on API Gateway's own answers.",
    "config.compatibility.stream_content_type": "What the proxy calls a stream with prelude: AWS's `integration` "
    "type, or `octet-stream` where API Gateway refuses that.",
    # One run.
    "options.force": "Run every phase, whatever its fingerprint says.",
    "options.reason": "Why; it stands in the record, the history and the report.",
    "options.allow_replacement": "Let CloudFormation replace resources; without it such a change is refused.",
    "options.remove_secret": "`cleanup` removes the secret, too.",
    "options.secret_recovery_days": "Days in which a removed secret can be restored: 0 (none) or 7 to 30.",
    "options.rollback_to": "Function version for `rollback`; null takes the release before the live one.",
    "options.secret_version": "Version of the secret that `rotate` or `deploy` rolls. PUT and PATCH of the secret "
    "set it.",
    "options.secret_base": "Refuse when another version of the secret than this is current by then.",
    "options.expected_plan": "Digest that `plan` printed; refuse when the plan is another one by now.",
    "options.if_busy": "While another deployment holds the environment: `reject` answers 409, `wait` queues.",
    "options.approval": "`required` waits for a person between the checks and the traffic shift.",
    "options.load": "The load test of the candidate.",
    "options.load.rps": "Requests a second, sent whatever the answers do (an open model).",
    "options.load.duration_s": "How long requests are sent.",
    "options.load.workers": "Lambdas that share the load.",
    "options.load.cold_starts": "Fresh execution environments to force and to measure.",
    "options.load.arrivals": "How requests are spread: evenly, as a ramp or in four steps up to `rps`, at random "
    "(Poisson), or as recorded in `trace`.",
    "options.load.trace": "Seconds since the start at which requests are sent, for `arrivals: trace`.",
    "options.load.stream": "Ask for streamed answers.",
    "options.load.upstream": "`real` asks for chat completions, which cost tokens; `none` asks for /health.",
    "options.load.timeout_s": "When a request is given up.",
    "options.load.baseline": "What the candidate is compared with: the `live` version in the same seconds, the last "
    "good run's `record`, or `none`.",
    "options.max_cost_usd": "Refuse a load test whose estimate is above this.",
    "options.usd_per_million_tokens": "The provider's price, for the estimate.",
    "options.tune_memory": "Memory sizes (MB) to measure the release with; the result is a recommendation only.",
    "options.slo": "Bounds that the load test must meet, or the rollout fails. null is not judged.",
    "options.slo.p99_ms": "99th percentile of whole answers, without the upstream's own time.",
    "options.slo.first_byte_p99_ms": "99th percentile of a stream's first byte, without the upstream's own time.",
    "options.slo.overhead_p99_ms": "99th percentile of the proxy's own work.",
    "options.slo.error_rate": "Share of failed requests.",
    "options.slo.rps": "Good answers a second, at least.",
    "options.slo.cold_start_ms": "Slowest forced cold start.",
    "options.slo.usd_per_million": "Price of a million requests, without tokens.",
    "options.slo.slowdown": "The earlier name of `relative.total`, and the bound against a record.",
    "options.slo.relative": "How much worse than the baseline the candidate may be, as shares: 0.2 is 20 %.",
    "options.slo.relative.errors": 'Error rate beyond so many times the baseline\'s; 0 is "not more often".',
    "options.slo.relative.overhead_least_ms": "A smaller difference of the overhead, in milliseconds, does not count.",
    "options.slo.relative.overhead": "Own work of the proxy.",
    "options.slo.relative.first_byte": "First byte of a stream.",
    "options.slo.relative.total": "Whole answers.",
    "options.slo.relative.cold_start": "Cold starts, against the last good run's record.",
    "options.slo.relative.cost": "Price of a request, against the last good run's record.",
    "options.bake": "How traffic moves to the candidate, and how long alarms are watched.",
    "options.bake.strategy": "`steps` as listed, `all_at_once`, `canary` (`percent`, then all), or `linear` (by "
    "`percent`).",
    "options.bake.steps": "Percent of users at each step of `steps`; rising, the last 100.",
    "options.bake.percent": "The step of `canary` and `linear`.",
    "options.bake.step_s": "Seconds at each step (the last: with watch_s 0 only); null: 60 in an account, 1 embedded.",
    "options.bake.watch_s": "Seconds after the last step; null is 300 in an account, 2 in the embedded cloud.",
    "options.heal": "A revalidation puts drift back where that is safe.",
    "options.leave_alias": "With `heal`: a live alias that someone has moved stays, as after a rollback by hand.",
    "options.ttl_hours": "As `config.ttl_hours`, for this deploy: 0 takes an earlier limit away, null leaves it.",
    "options.drill_of": "Set by the control plane for its own drills; refused in a request.",
    "options.sabotage": "Set by the control plane for its own drills; refused in a request.",
    "options.bundle": "Set for `target: controlplane`, where `bundle` is a field of the request; refused elsewhere.",
}

CONFIG_FIELDS = tuple(path for path in EFFECTS if path.startswith("config."))  # of an environment, parents first
