"""The connection of one command: the control API's address and AWS credentials, read from the environment."""

import os
from functools import cached_property

from ctl.client import Client
from ctl.inputs import Refused
from ctl.signed import NotAnAddress

API_VARIABLE = "CONTROL_API_URL"


class Connection:
    """The client, made at its first use."""

    @cached_property
    def client(self) -> Client:
        """Raises Refused without an address, a region or credentials."""
        return connect()


def connect() -> Client:
    """A client for CONTROL_API_URL, with the region and credentials that the AWS CLI would use. Raises Refused."""
    import boto3  # half a second, which `--help` and completion need not spend

    url = os.environ.get(API_VARIABLE, "")
    if not url:
        raise Refused(
            f"{API_VARIABLE} is not set; for the embedded cloud: `. .local/env`, else see bootstrap.py status"
        )
    session = boto3.session.Session(region_name=os.environ.get("AWS_REGION"))  # the AWS CLI reads it, boto3 does not
    if not session.region_name:
        raise Refused("no AWS region; set AWS_REGION")
    if session.get_credentials() is None:
        raise Refused("no AWS credentials; set them as for the AWS CLI")
    try:
        return Client(url, session, session.region_name)
    except NotAnAddress as wrong:
        raise Refused(f"{API_VARIABLE} {wrong}") from None
