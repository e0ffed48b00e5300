"""Each switch of the strict cloud, off and on: what the emulator forgives, and what AWS does.

Two clouds of this module's own: one as the demo's, one with every switch and delays of some seconds.
"""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from chalicelib.monitoring import fire

from local import cloud, emulator, strict
from local.state import Cloud, Keys
from tests.e2e.rolling import until

DELAY_S = 5.0
PUT_QUERY = "logs:PutQueryDefinition"
MISSING = {"Bucket": "keys", "Key": "a/missing"}
ON = strict.WORST.scaled(DELAY_S / 60)


class Clouds:
    """The forgiving cloud and the strict one."""

    def __init__(self, off: Cloud, on: Cloud) -> None:
        self.off, self.on = off, on


@pytest.fixture(scope="module")
def clouds(site: cloud.Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clouds]:
    sites = [cloud.Site.of(site.root, tmp_path_factory.mktemp(name)) for name in ("off", "on")]
    try:
        yield Clouds(cloud.start(sites[0])[0], cloud.start(sites[1], switches=ON)[0])
    finally:
        for own in sites:
            cloud.stop(own.folder)


def client(running: Cloud, service: str, keys: Keys | None = None, **options: Any) -> Any:
    created = emulator.session(running.region, keys or running.operator)
    config = Config(proxies={}, **options)
    return created.client(service, endpoint_url=running.endpoint, config=config)


def code(call: Callable[..., Any], **params: Any) -> str:
    """The error code of a refused call, or "" if it succeeds."""
    try:
        call(**params)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def roles(running: Cloud, statements: dict[str, list[dict[str, Any]]]) -> dict[str, Keys]:
    """Keys of a session of each of these new roles, by name; waits until they act."""
    iam, sts = client(running, "iam"), client(running, "sts")
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{running.account}:root"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arns = {}
    for name, rows in statements.items():
        arns[name] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        policy = json.dumps({"Version": "2012-10-17", "Statement": rows})
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    time.sleep(running.switches.role_s + 0.5)
    sessions = {
        name: sts.assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"] for name, arn in arns.items()
    }
    return {
        name: Keys(created["AccessKeyId"], created["SecretAccessKey"] + "|" + created["SessionToken"])
        for name, created in sessions.items()
    }


def as_role(running: Cloud, service: str, keys: Keys) -> Any:
    secret, _, token = keys.secret_access_key.partition("|")
    session = emulator.session(running.region, Keys(keys.access_key_id, secret))
    session._session.set_credentials(keys.access_key_id, secret, token)
    return session.client(service, endpoint_url=running.endpoint, config=Config(proxies={}))


def allow(action: str | list[str], resource: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def test_an_action_without_resource_type_is_granted_by_a_star_only(clouds: Clouds) -> None:
    """Issue 10, row a: PutQueryDefinition on a log group's ARN."""
    observed = {}
    for name, running in (("off", clouds.off), ("on", clouds.on)):
        arn = f"arn:aws:logs:{running.region}:{running.account}:log-group:*"
        grants = {"narrow": [allow(PUT_QUERY, arn)], "wide": [allow(PUT_QUERY, "*")]}
        clients = [as_role(running, "logs", keys) for keys in roles(running, grants).values()]
        query = {"name": "q", "queryString": "fields @message", "logGroupNames": ["g"]}
        observed[name] = [code(logs.put_query_definition, **query) for logs in clients]
    assert observed["on"][0] == "AccessDeniedException"
    assert observed["on"][1] != "AccessDeniedException"
    assert "AccessDeniedException" not in observed["off"][1:]


def test_a_dashboard_is_authorised_by_its_name_and_not_as_everything(clouds: Clouds) -> None:
    """Always on, in the demo too."""
    observed = {}
    for name, running in (("off", clouds.off), ("on", clouds.on)):
        arn = f"arn:aws:cloudwatch::{running.account}:dashboard/mine"
        keys = roles(running, {"boards": [allow("cloudwatch:PutDashboard", arn)]})["boards"]
        boards = as_role(running, "cloudwatch", keys)
        body = json.dumps({"widgets": []})
        observed[name] = [
            code(boards.put_dashboard, DashboardName=board, DashboardBody=body) for board in ("mine", "yours")
        ]
    for answers in observed.values():
        assert [bool(answer) for answer in answers] == [False, True]


def test_a_missing_object_is_access_denied_for_who_may_not_list(clouds: Clouds) -> None:
    """Issue 10, row n; s3:ListBucket without Condition gives the 404."""
    observed: dict[str, dict[str, list[str]]] = {}
    for name, running in (("off", clouds.off), ("on", clouds.on)):
        client(running, "s3").create_bucket(
            Bucket="keys", CreateBucketConfiguration={"LocationConstraint": running.region}
        )
        objects, bucket = allow("s3:GetObject", "arn:aws:s3:::keys/*"), "arn:aws:s3:::keys"
        prefix = {"StringLike": {"s3:prefix": "a/*"}}
        statements = {
            "blind": [objects],
            "conditioned": [objects, allow("s3:ListBucket", bucket, Condition=prefix)],
            "lister": [objects, allow("s3:ListBucket", bucket)],
        }
        observed[name] = {}
        for role, keys in roles(running, statements).items():
            s3 = as_role(running, "s3", keys)
            observed[name][role] = [code(call, **MISSING) for call in (s3.head_object, s3.get_object)]
    assert observed["off"]["blind"] == ["404", "NoSuchKey"]
    assert observed["on"]["blind"] == observed["on"]["conditioned"] == ["403", "AccessDenied"]
    assert observed["on"]["lister"] == ["404", "NoSuchKey"]


def test_message_attributes_are_validated(clouds: Clouds) -> None:
    observed = []
    for running in (clouds.off, clouds.on):
        sqs = client(running, "sqs")
        url = sqs.create_queue(QueueName="attributes")["QueueUrl"]
        empty = {"AWS.kind": {"DataType": "String", "StringValue": "x"}}
        observed.append(code(sqs.send_message, QueueUrl=url, MessageBody="m", MessageAttributes=empty))
    assert observed == ["", "InvalidParameterValue"]


def test_raw_delivery_drops_a_message_with_more_than_ten_attributes(clouds: Clouds) -> None:
    crowd = {f"a{index}": {"DataType": "String", "StringValue": "x"} for index in range(11)}
    counts = []
    for running in (clouds.off, clouds.on):
        topic, url, _ = subscribed(running, "crowd", at_creation=True, RawMessageDelivery="true")
        client(running, "sns").publish(TopicArn=topic, Message="m", MessageAttributes=crowd)
        counts.append(len(received(running, url)))
    assert counts == [1, 0]


def subscribed(running: Cloud, name: str, *, at_creation: bool, **attributes: str) -> tuple[str, str, str]:
    """A topic and a queue that it may send to: topic, queue URL, queue ARN."""
    sns, sqs = client(running, "sns"), client(running, "sqs")
    topic = sns.create_topic(Name=name)["TopicArn"]
    queue_arn = f"arn:aws:sqs:{running.region}:{running.account}:{name}"
    statement = {
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": queue_arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }  # fmt: skip
    policy = {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
    url = sqs.create_queue(QueueName=name, Attributes=policy if at_creation else {})["QueueUrl"]
    if not at_creation:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=policy)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes=attributes)
    return topic, url, queue_arn


def test_alarm_tests_reach_the_test_queue_only(clouds: Clouds) -> None:
    """Issue 10, row x, as the emulator filters: tests are left out, alarms and other messages come through."""
    scope = {"FilterPolicyScope": "MessageBody", "FilterPolicy": json.dumps(fire.WITHOUT_TESTS)}
    topic, url, _ = subscribed(clouds.off, "paged", at_creation=True, **scope)
    sns = client(clouds.off, "sns")
    for body in ({"NewStateReason": "Drill by proxyctl: a test"}, {"NewStateReason": "Crossed"}, {"other": 1}):
        sns.publish(TopicArn=topic, Message=json.dumps(body))
    bodies = [json.loads(json.loads(message["Body"])["Message"]) for message in received(clouds.off, url)]
    assert sorted(map(str, bodies)) == ["{'NewStateReason': 'Crossed'}", "{'other': 1}"]


def received(running: Cloud, url: str) -> list[Any]:
    return list(
        client(running, "sqs")
        .receive_message(QueueUrl=url, WaitTimeSeconds=1, MaxNumberOfMessages=10)
        .get("Messages", [])
    )


def test_a_queue_policy_set_afterwards_acts_late_and_one_given_at_creation_at_once(clouds: Clouds) -> None:
    """Issue 10, rows d and x: a notification of before that is lost."""
    heard = {}
    for name, running in (("off", clouds.off), ("on", clouds.on)):
        for at_creation in (True, False):
            topic, url, _ = subscribed(running, f"late-{at_creation}", at_creation=at_creation)
            client(running, "sns").publish(TopicArn=topic, Message="first")
            heard[name, at_creation] = len(received(running, url))
    assert heard == {("off", True): 1, ("off", False): 1, ("on", True): 1, ("on", False): 0}
    topic = f"arn:aws:sns:{clouds.on.region}:{clouds.on.account}:late-False"
    url = client(clouds.on, "sqs").get_queue_url(QueueName="late-False")["QueueUrl"]

    def fired_again() -> bool:
        client(clouds.on, "sns").publish(TopicArn=topic, Message="again")
        return bool(received(clouds.on, url))

    until("the policy acts", fired_again, 30)


def test_a_deleted_queues_name_is_taken_for_a_while(clouds: Clouds) -> None:
    codes = []
    for running in (clouds.off, clouds.on):
        sqs = client(running, "sqs")
        sqs.delete_queue(QueueUrl=sqs.create_queue(QueueName="twice")["QueueUrl"])
        codes.append(code(sqs.create_queue, QueueName="twice"))
    assert codes == ["", "AWS.SimpleQueueService.QueueDeletedRecently"]
    sqs = client(clouds.on, "sqs")
    until("the name is free", lambda: not code(sqs.create_queue, QueueName="twice"), 30)


def test_a_policy_that_is_taken_away_still_acts_for_a_while(clouds: Clouds) -> None:
    codes = []
    for running in (clouds.off, clouds.on):
        keys = roles(running, {"queues": [allow("sqs:ListQueues", "*")]})["queues"]
        sqs = as_role(running, "sqs", keys)
        assert not code(sqs.list_queues)
        client(running, "iam").delete_role_policy(RoleName="queues", PolicyName="p")
        codes.append(code(sqs.list_queues))
    assert codes[0] == "AccessDenied"
    assert codes[1] == ""
    until("the deletion acts", lambda: code(sqs.list_queues) == "AccessDenied", 30)


def test_iam_reads_answer_with_the_state_before_a_write(clouds: Clouds) -> None:
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    codes = []
    for running in (clouds.off, clouds.on):
        iam = client(running, "iam")
        iam.create_role(RoleName="new", AssumeRolePolicyDocument=trust)
        codes.append(code(iam.get_role, RoleName="new"))
        listed = {role["RoleName"] for role in iam.list_roles()["Roles"]}
        assert ("new" in listed) is (running is clouds.off)
    assert codes == ["", "NoSuchEntity"]
    iam = client(clouds.on, "iam")
    until("the role is seen", lambda: not code(iam.get_role, RoleName="new"), 30)


def test_a_new_bucket_is_listed_late_and_its_objects_at_once(clouds: Clouds) -> None:
    listed = []
    for running in (clouds.off, clouds.on):
        s3 = client(running, "s3")
        s3.create_bucket(Bucket="listed", CreateBucketConfiguration={"LocationConstraint": running.region})
        listed.append("listed" in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]})
        s3.put_object(Bucket="listed", Key="k", Body=b"x")
        assert s3.list_objects_v2(Bucket="listed")["KeyCount"] == 1
    assert listed == [True, False]
    s3 = client(clouds.on, "s3")
    until("it is listed", lambda: "listed" in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}, 30)


def test_a_control_plane_api_answers_at_its_published_rate_only(clouds: Clouds) -> None:
    """SetAlarmState: three a second. Without retries the fourth is refused, with the SDK's own it passes."""
    refused = []
    for running in (clouds.off, clouds.on):
        alarms = client(running, "cloudwatch", retries={"total_max_attempts": 1})
        alarm(running, "throttled", "throttled")
        codes = {code(ring, alarms=alarms, name="throttled") for _ in range(12)}
        refused.append(codes - {""})
    assert refused == [set(), {"Throttling"}]
    patient = client(clouds.on, "cloudwatch", retries={"mode": "standard", "max_attempts": 8})
    for _ in range(5):
        ring(patient, "throttled")


def ring(alarms: Any, name: str) -> None:
    alarms.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")


def test_eventbridge_delivers_nothing_past_a_condition(clouds: Clouds) -> None:
    """Issue 10, row g."""
    heard = {}
    for name, running in (("off", clouds.off), ("on", clouds.on)):
        for conditioned in (False, True):
            topic, url, _ = subscribed(running, f"events-{conditioned}", at_creation=True)
            admit_eventbridge(running, topic, conditioned=conditioned)
            rule = f"rule-{conditioned}"
            events = client(running, "events")
            events.put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
            events.put_targets(Rule=rule, Targets=[{"Id": "t", "Arn": topic}])
            events.put_events(Entries=[{"Source": rule, "DetailType": "d", "Detail": "{}"}])
            time.sleep(0.5)
            heard[name, conditioned] = len(received(running, url))
    assert heard == {("off", False): 1, ("off", True): 1, ("on", False): 1, ("on", True): 0}


def admit_eventbridge(running: Cloud, topic: str, *, conditioned: bool) -> None:
    statement: dict[str, Any] = {
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish", "Resource": topic,
    }  # fmt: skip
    if conditioned:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": running.account}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client(running, "sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)


def alarm(running: Cloud, name: str, environment: str, **more: Any) -> None:
    rule: dict[str, Any] = {
        "Namespace": "dimensions", "MetricName": "Errors", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1,
        "Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Dimensions": [{"Name": "environment", "Value": environment}],
    }  # fmt: skip
    client(running, "cloudwatch").put_metric_alarm(**(rule | more), AlarmName=name)


def put(running: Cloud, environment: str, *values: float) -> None:
    datum = {"MetricName": "Errors", "Dimensions": [{"Name": "environment", "Value": environment}]}
    data = [datum | {"Value": value} for value in values]
    client(running, "cloudwatch").put_metric_data(Namespace="dimensions", MetricData=data)


def state_of(running: Cloud, name: str) -> str:
    result = client(running, "cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(result[0]["StateValue"])


def test_one_environments_errors_leave_anothers_alarm_alone(clouds: Clouds) -> None:
    """Always on, in the demo too: an alarm evaluates the metric of its own dimensions."""
    for running in (clouds.off, clouds.on):
        alarm(running, "mine", "mine")
        alarm(running, "theirs", "theirs")
        put(running, "theirs", 5)
        assert (state_of(running, "mine"), state_of(running, "theirs")) == ("INSUFFICIENT_DATA", "ALARM")


def test_datapoints_to_alarm_and_missing_data_decide(clouds: Clouds) -> None:
    running = clouds.off
    name = f"slow-{uuid.uuid4().hex[:6]}"
    alarm(running, name, name, EvaluationPeriods=3, DatapointsToAlarm=2, TreatMissingData="notBreaching")
    put(running, name, 5)
    assert state_of(running, name) == "OK"  # one of two needed
    alarm(running, f"{name}-quick", name, EvaluationPeriods=3, DatapointsToAlarm=1, TreatMissingData="notBreaching")
    assert state_of(running, f"{name}-quick") == "ALARM"


def test_a_percentile_of_few_samples_is_ignored_on_request(clouds: Clouds) -> None:
    few: dict[str, Any] = {"EvaluateLowSampleCountPercentile": "ignore", "TreatMissingData": "notBreaching"}
    running, name = clouds.off, f"few-{uuid.uuid4().hex[:6]}"
    make = emulator.client("cloudwatch", running.endpoint, running.region, running.operator).put_metric_alarm
    rule: dict[str, Any] = {
        "Namespace": "dimensions", "MetricName": "Errors", "ExtendedStatistic": "p90", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold",
        "Dimensions": [{"Name": "environment", "Value": name}],
    }  # fmt: skip
    make(AlarmName=name, **rule, **few)
    make(AlarmName=f"{name}-all", **rule)
    put(running, name, *[5.0] * 99)
    assert (state_of(running, name), state_of(running, f"{name}-all")) == ("OK", "ALARM")
    put(running, name, 5.0)
    assert state_of(running, name) == "ALARM"


def test_a_new_account_says_that_it_runs_ten_lambdas_at_once(site: cloud.Site, tmp_path_factory: Any) -> None:
    own = cloud.Site.of(site.root, tmp_path_factory.mktemp("new"))
    try:
        running, _ = cloud.start(own, switches=strict.NEW_ACCOUNT)
        limits = client(running, "lambda").get_account_settings()["AccountLimit"]
        assert limits["ConcurrentExecutions"] == 10
        again, reused = cloud.start(own)
        assert not reused
        assert again.switches == strict.OFF
    finally:
        with contextlib.suppress(RuntimeError):
            cloud.stop(own.folder)
