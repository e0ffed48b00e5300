"""The signature equals botocore's, with and without a session token."""

import datetime
from unittest import mock

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from proxy.secret.sigv4 import Credentials, sign_post

NOW = 1_700_000_000.0
HEADERS = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.GetSecretValue"}


@pytest.mark.parametrize("token", ["", "IQoJb3Jp/Z2lu+=="])
@pytest.mark.parametrize("host", ["secretsmanager.eu-central-1.amazonaws.com", "127.0.0.1:4566"])
def test_the_signature_is_the_one_that_botocores_signer_makes(host: str, token: str) -> None:
    body = b'{"SecretId": "arn:aws:secretsmanager:eu-central-1:1:secret:x"}'
    request = botocore.awsrequest.AWSRequest("POST", f"https://{host}/", headers={**HEADERS, "host": host}, data=body)
    credentials = botocore.credentials.Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", token or None)
    moment = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    # botocore has no clock to hand in.
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment.replace(tzinfo=None)):
        botocore.auth.SigV4Auth(credentials, "secretsmanager", "eu-central-1").add_auth(request)
    signed = sign_post(
        Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", token),
        region="eu-central-1",
        service="secretsmanager",
        host=host,
        headers=HEADERS,
        body=body,
        now=NOW,
    )
    assert signed["authorization"] == request.headers["Authorization"]
    assert signed["x-amz-date"] == request.headers["X-Amz-Date"]
    assert signed.get("x-amz-security-token", "") == token


def test_credentials_do_not_show_their_secrets() -> None:
    assert "secret" not in repr(Credentials("AKID", "secret", "secret-token"))
