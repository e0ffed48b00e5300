"""GetResources lists what was tagged once: what the search by name covers and does not find is gone, nothing else."""

from __future__ import annotations

import pytest
from chalicelib.domain.names import Names
from chalicelib.phases.clean_up.gone import split
from chalicelib.phases.clean_up.inventory import Resource, of_arn

NAMES, REGION = Names("dev"), "eu-central-1"
HERE = f"{REGION}:123456789012"
OWN = (
    f"arn:aws:cloudformation:{HERE}:stack/proxyctl-env-dev/0f-1",
    f"arn:aws:lambda:{HERE}:function:proxyctl-dev-proxy",
    f"arn:aws:lambda:{HERE}:function:proxyctl-dev-proxy:live",
    "arn:aws:iam::123456789012:role/proxyctl-dev-proxy-eu-central-1",
    f"arn:aws:logs:{HERE}:log-group:/aws/lambda/proxyctl-dev-proxy",
    f"arn:aws:logs:{HERE}:log-group:/aws/apigateway/proxyctl-dev:*",
    f"arn:aws:cloudwatch:{HERE}:alarm:proxyctl/dev/errors",
    f"arn:aws:sns:{HERE}:proxyctl-dev-alarms",
    f"arn:aws:sqs:{HERE}:proxyctl_dev_probe_d-1",
    f"arn:aws:secretsmanager:{HERE}:secret:proxyctl/dev/openai-AbCdEf",
    f"arn:aws:apigateway:{REGION}::/restapis/api1",
    f"arn:aws:apigateway:{REGION}::/restapis/api1/stages/api",
)
# As like them as can be: of another environment, or somebody's own under our tag.
OTHERS = (
    f"arn:aws:cloudformation:{HERE}:stack/proxyctl-env-dev-2/0f-1",
    f"arn:aws:lambda:{HERE}:function:proxyctl-dev-proxy-2",
    "arn:aws:iam::123456789012:role/proxyctl-dev-proxy-eu-west-1",
    f"arn:aws:logs:{HERE}:log-group:/aws/lambda/proxyctl-dev-proxy-old",
    f"arn:aws:cloudwatch:{HERE}:alarm:proxyctl/dev-2/errors",
    f"arn:aws:sns:{HERE}:proxyctl-dev-alarms-2",
    f"arn:aws:sqs:{HERE}:proxyctl_dev-2_probe_d-1",
    f"arn:aws:sqs:{HERE}:someones-queue",
    f"arn:aws:secretsmanager:{HERE}:secret:proxyctl/dev/openai-2-AbCdEf",
    f"arn:aws:apigateway:{REGION}::/restapis/api9/stages/api",
    f"arn:aws:kinesis:{HERE}:stream/proxyctl-dev-proxy",
)


@pytest.mark.parametrize("arn", OWN)
def test_what_is_searched_for_by_name_and_was_not_found_is_gone(arn: str) -> None:
    assert split([of_arn(arn)], NAMES, REGION, {"api9"}) == ([], [of_arn(arn)])


@pytest.mark.parametrize("arn", OTHERS)
def test_what_no_search_by_name_covers_is_there(arn: str) -> None:
    assert split([of_arn(arn)], NAMES, REGION, {"api9"}) == ([of_arn(arn)], [])


@pytest.mark.parametrize(
    ("named", "arn"),
    [
        (Resource("function", "proxyctl-dev-proxy"), OWN[2]),
        (Resource("log group", "/aws/apigateway/proxyctl-dev"), OWN[5]),
        (Resource("alarm", "proxyctl/dev/errors"), OWN[6]),
    ],
)
def test_what_was_found_by_name_is_there_however_its_tag_lists_it(named: Resource, arn: str) -> None:
    there, gone = split([named, of_arn(arn)], NAMES, REGION, set())
    assert (len(there), gone) == (2, [])
