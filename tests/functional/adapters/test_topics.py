"""The SNS and SQS adapter against moto: what a topic sends is seen on a probe, and nothing is left of it."""

from __future__ import annotations

import json

import boto3
from chalicelib.adapters import session
from chalicelib.adapters.topics import SnsTopics
from chalicelib.monitoring import fire

from tests.functional.adapters.conftest import ACCOUNT, REGION, TAGS


def topics() -> SnsTopics:
    return SnsTopics("aws", REGION, ACCOUNT)


def test_a_topic_is_made_once_and_cloudwatch_of_this_account_only_may_publish() -> None:
    arn = topics().ensure("proxyctl-dev-alarms", TAGS)
    assert topics().ensure("proxyctl-dev-alarms", TAGS) == arn == topics().find("proxyctl-dev-alarms")
    policy = json.loads(boto3.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
    (statement,) = policy["Statement"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_a_probe_hears_what_the_topic_says_once() -> None:
    arn = topics().ensure("proxyctl-dev-alarms", TAGS)
    probe = topics().open_probe(arn, "proxyctl_dev_probe_d1", TAGS)
    boto3.client("sns").publish(TopicArn=arn, Message=json.dumps({"AlarmName": "x"}))
    assert topics().receive(probe, 0) == [{"AlarmName": "x"}]
    assert topics().receive(probe, 0) == []


def test_opening_a_probe_twice_makes_one_and_closing_it_leaves_nothing() -> None:
    arn = topics().ensure("proxyctl-dev-alarms", TAGS)
    probe = topics().open_probe(arn, "proxyctl_dev_probe_d1", TAGS)
    assert topics().open_probe(arn, "proxyctl_dev_probe_d1", TAGS).queue_url == probe.queue_url
    assert list(topics().probes("proxyctl_dev_probe_")) == [probe.queue_url]
    topics().close_probe(probe)
    topics().close_probe(probe)
    assert list(topics().probes("proxyctl_dev_probe_")) == []
    assert topics().subscribers(arn) == {}
    assert topics().subscribers(f"{arn}-that-is-gone") == {}


def test_only_the_topic_may_write_to_the_probe() -> None:
    arn = topics().ensure("proxyctl-dev-alarms", TAGS)
    probe = topics().open_probe(arn, "proxyctl_dev_probe_d1", TAGS)
    answer = boto3.client("sqs").get_queue_attributes(QueueUrl=probe.queue_url, AttributeNames=["Policy", "QueueArn"])
    (statement,) = json.loads(answer["Attributes"]["Policy"])["Statement"]
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": arn}}
    assert answer["Attributes"]["QueueArn"] == probe.queue_arn


def test_a_queue_is_created_with_its_policy_and_not_given_it_afterwards() -> None:
    """Issue 10, row x: what SetQueueAttributes changes may take a minute to act."""
    calls: list[str] = []
    session.client("sqs").meta.events.register("before-call.sqs", lambda model, **_: calls.append(model.name))
    topics().open_probe(topics().ensure("proxyctl-dev-alarms", TAGS), "proxyctl_dev_probe_d1", TAGS)
    assert calls == ["CreateQueue"]


def test_a_filter_leaves_tests_out_and_lets_alarms_through() -> None:
    """Messages that are no alarm's pass as well; moto does not know that, tests/e2e/test_strict_cloud.py shows it."""
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    arn = topics().ensure("proxyctl-dev-alarms", TAGS)
    # Without a policy SNS may not write to the queue; moto does not know that, MiniStack does.
    writes = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [writes | {"Resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:inbox"}]}
    url = sqs.create_queue(QueueName="inbox", Attributes={"Policy": json.dumps(policy)})["QueueUrl"]
    inbox = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topics().subscribe(arn, "sqs", inbox)
    topics().set_filter(topics().subscribers(arn)[inbox], fire.WITHOUT_TESTS)
    for reason in ("Threshold Crossed: 2 datapoints", "Drill by proxyctl deployment d-1: nothing is wrong"):
        sns.publish(TopicArn=arn, Message=json.dumps({"AlarmName": "a", "NewStateReason": reason}))
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5)["Messages"]
    bodies = [json.loads(json.loads(message["Body"])["Message"]) for message in received]
    assert [body.get("NewStateReason", "")[:9] for body in bodies] == ["Threshold"]


def test_a_subscription_may_have_its_filter_from_the_beginning() -> None:
    arn = topics().ensure("proxyctl-dev-alarms", TAGS)
    topics().subscribe(arn, "https", "https://hooks.example.com/x", fire.WITHOUT_TESTS)
    (result,) = boto3.client("sns").list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    attributes = boto3.client("sns").get_subscription_attributes(SubscriptionArn=result["SubscriptionArn"])[
        "Attributes"
    ]
    assert attributes["FilterPolicyScope"] == "MessageBody"
    assert json.loads(attributes["FilterPolicy"]) == fire.WITHOUT_TESTS


def test_deleting_a_topic_takes_its_subscriptions_along() -> None:
    arn = topics().ensure("proxyctl-dev-alarms", TAGS)
    topics().subscribe(arn, "https", "https://hooks.example.com/x")
    topics().delete(arn)
    assert topics().find("proxyctl-dev-alarms") is None
    assert boto3.client("sns").list_subscriptions()["Subscriptions"] == []


def test_a_topic_takes_the_customers_tags_and_key_also_when_it_exists() -> None:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    sns, name = boto3.client("sns"), "proxyctl-dev-alarms"
    arn = topics().ensure(name, TAGS)
    topics().ensure(name, {**TAGS, "team": "ml"}, key)
    tags = {tag["Key"]: tag["Value"] for tag in sns.list_tags_for_resource(ResourceArn=arn)["Tags"]}
    assert tags == {**TAGS, "team": "ml"}
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["KmsMasterKeyId"] == key
    topics().ensure(name, TAGS)
    assert not sns.get_topic_attributes(TopicArn=arn)["Attributes"].get("KmsMasterKeyId")


def test_a_new_topic_is_encrypted_from_its_first_message() -> None:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    arn = topics().ensure("proxyctl-dev-alarms", TAGS, key)
    assert boto3.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["KmsMasterKeyId"] == key
