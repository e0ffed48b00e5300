"""Reading the secret in a fresh interpreter: from the process's start to the secret's text in hand, by each way."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

from bench.figures import Bound, Report
from bench.proxy.processes import ROOT, clean_environment
from tests.functional.proxy.environment import ARN, SecretsStandIn, secret_answer

_HTTP = "import http.client, json, ssl, os; from urllib.parse import urlsplit; "
WAYS = {
    "nothing read (json, ssl, http.client)": _HTTP + "print('sk-upstream')",
    "proxy: signed with the standard library": "import os; from proxy.secret.store import SecretsManager; "
    "print(SecretsManager(os.environ['ARN'], os.environ).read()[0])",
    "botocore's signer and http.client": _HTTP + "from botocore.auth import SigV4Auth; "
    "from botocore.awsrequest import AWSRequest; from botocore.credentials import Credentials; "
    "u = os.environ['AWS_ENDPOINT_URL']; b = json.dumps({'SecretId': os.environ['ARN']}); "
    "r = AWSRequest('POST', u, data=b, headers={'content-type': 'application/x-amz-json-1.1', "
    "'x-amz-target': 'secretsmanager.GetSecretValue'}); "
    "SigV4Auth(Credentials('a', 'b', 't'), 'secretsmanager', 'eu-central-1').add_auth(r); "
    "c = http.client.HTTPConnection(urlsplit(u).netloc); c.request('POST', '/', b, dict(r.headers)); "
    "print(json.loads(c.getresponse().read())['SecretString'])",
    "boto3's client": "import boto3, os; c = boto3.client('secretsmanager', region_name='eu-central-1'); "
    "print(c.get_secret_value(SecretId=os.environ['ARN'])['SecretString'])",
}
NOTHING, OURS, _, BOTO3 = WAYS


def measure(rounds: int) -> Report:
    """Medians of `rounds` reads each, interleaved, from a stand-in that answers at once."""
    report = Report(f"reading the secret, median of {rounds} fresh interpreters each")
    times: dict[str, list[float]] = {name: [] for name in WAYS}
    secrets = SecretsStandIn([secret_answer("http://127.0.0.1:9/v1")])
    environment = {**clean_environment(), "AWS_ENDPOINT_URL": secrets.url, "ARN": ARN}
    environment |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "t"}
    try:
        for number in range(rounds + 1):
            for name, code in WAYS.items():
                begun = time.perf_counter()
                command = [sys.executable, "-c", code]
                done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True, text=True)
                times[name] += [time.perf_counter() - begun] if number else []  # the first round warms the page cache
                if "sk-upstream" not in done.stdout:
                    raise RuntimeError(f"{name} did not read the secret: {json.dumps(done.stderr[-200:])}")
    finally:
        secrets.shutdown()
        secrets.server_close()
    medians = {name: statistics.median(values) * 1000.0 for name, values in times.items()}
    report.lines += [f"{name:<44} {value:8.1f} ms" for name, value in medians.items()]
    report.lines.append("NOT RUN  Parameters and Secrets extension (a layer of AWS's that exists only there)")
    part = (medians[OURS] - medians[NOTHING]) / (medians[BOTO3] - medians[NOTHING])
    report.bounds.append(
        Bound("what reading adds, as a part of what boto3's client adds", part, high=0.25, unit="of it")
    )
    return report
