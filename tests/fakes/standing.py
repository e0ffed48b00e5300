"""The resources of an environment that stand although no test speaks of them."""

from __future__ import annotations

from chalicelib.domain.aws.functions import FunctionConfig
from chalicelib.domain.names import Names

from . import FakeAws

CONFIG = FunctionConfig("sha", 512, 29, {}, "python3.11")


def stand(aws: FakeAws, environment: str = "dev", *, live: str = "2") -> FakeAws:
    """Function with versions 1 to 3, its role, both aliases, what API Gateway may call, and both log groups."""
    names = Names(environment)
    aws.functions.add(names.function, CONFIG, live=live, versions=3)
    aws.identity.roles.add(names.role(aws.settings.region))
    for group in (names.log_group, names.access_log_group):
        aws.logs.add(group)
    return aws
