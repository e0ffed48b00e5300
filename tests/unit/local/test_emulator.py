"""The emulator's environment is made from nothing, because its Lambdas inherit it."""

from __future__ import annotations

from pathlib import Path

from local import emulator
from local.state import Cloud, Keys

STRAY = {
    "AWS_ENDPOINT_URL": "http://somewhere.invalid",
    "AWS_SESSION_TOKEN": "stray",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": "/somewhere",
    "OPENAI_API_KEY": "sk-the-persons-own",
    "HTTP_PROXY": "http://proxy.invalid",
    "SSL_CERT_FILE": "/etc/ssl/cert.pem",
}


def variables() -> dict[str, str]:
    root, operator = Keys("AK", "SK"), Keys("", "")
    cloud = Cloud("token", "eu-central-1", "000000000000", 4567, 4568, root, operator, processes=())
    return emulator.variables(Path("/venv/bin/python"), Path("/state"), cloud, STRAY)


def test_nothing_of_the_caller_reaches_the_lambdas_but_certificates() -> None:
    strays = set(STRAY) - {"SSL_CERT_FILE", "AWS_ENDPOINT_URL"}
    assert not strays & set(variables())
    assert variables()["SSL_CERT_FILE"] == "/etc/ssl/cert.pem"


def test_lambdas_call_this_cloud_and_no_other() -> None:
    assert variables()["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4567"


def test_iam_is_enforced_and_only_this_machine_is_served() -> None:
    assert (variables()["AUTH"], variables()["BIND_HOST"]) == ("true", "127.0.0.1")


def test_a_bootstrap_finds_the_emulators_own_python_first() -> None:
    assert variables()["PATH"].startswith("/venv/bin:")


def test_whatever_it_writes_stays_in_its_folder() -> None:
    assert {variables()[name].split("/")[1] for name in ("HOME", "TMPDIR", "STATE_DIR")} == {"state"}
