"""`python -m ctl`: start rollouts, follow them, read records, store a secret, open the console."""

import os
import sys
from collections.abc import Sequence

import boto3
from botocore.exceptions import BotoCoreError

from ctl.arguments import parser
from ctl.client import ApiError, Client, NotAnAddress
from ctl.inputs import Refused
from ctl.words import clean

API_VARIABLE = "CONTROL_API_URL"
_PIPE_CLOSED = 141  # what a shell shows of a program that SIGPIPE ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: 0 done, 1 it has failed, 2 it could not start."""
    options = parser().parse_args(arguments)
    try:
        code = int(options.run(options, _client()))
        sys.stdout.flush()
    except (ApiError, TimeoutError) as failed:
        return _refuse(failed, 1)
    except (Refused, NotAnAddress) as refusal:
        return _refuse(refusal, 2)
    except BotoCoreError as problem:
        return _refuse(f"cannot use these AWS credentials: {problem}", 2)
    except BrokenPipeError:
        # The reader has closed the pipe. For a command that changes something, the outcome was not printed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0 if options.reads else _PIPE_CLOSED
    except KeyboardInterrupt:
        sys.stderr.write("\nproxyctl: stopped; the deployment runs on\n")
        return 130
    return code


def _refuse(why: object, code: int) -> int:
    sys.stderr.write(f"proxyctl: {clean(why)}\n")
    return code


def _client() -> Client:
    url = os.environ.get(API_VARIABLE, "")
    if not url:
        raise Refused(f"{API_VARIABLE} is not set; for the embedded cloud: . .local/env, else see bootstrap.py status")
    session = boto3.session.Session(region_name=os.environ.get("AWS_REGION"))  # the AWS CLI reads it, boto3 does not
    if not session.region_name:
        raise Refused("no AWS region; set AWS_REGION")
    if session.get_credentials() is None:
        raise Refused("no AWS credentials; set them as for the AWS CLI")
    try:
        return Client(url, session, session.region_name)
    except NotAnAddress as wrong:
        raise NotAnAddress(f"{API_VARIABLE} {wrong}") from None


if __name__ == "__main__":
    sys.exit(main())
