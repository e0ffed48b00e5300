"""The emulator's environment is made from nothing, because its Lambdas inherit it."""

from __future__ import annotations

from pathlib import Path

from local import emulator
from local.state import Keys

STRAY = {
    "AWS_ENDPOINT_URL": "http://somewhere.invalid",
    "AWS_SESSION_TOKEN": "stray",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": "/somewhere",
    "OPENAI_API_KEY": "sk-the-persons-own",
    "HTTP_PROXY": "http://proxy.invalid",
    "SSL_CERT_FILE": "/etc/ssl/cert.pem",
}


def made() -> dict[str, str]:
    python, folder = Path("/venv/bin/python"), Path("/state")
    return emulator.variables(python, folder, "token", 4567, "eu-central-1", "000000000000", Keys("AK", "SK"), STRAY)


def test_nothing_of_the_caller_reaches_the_lambdas_but_certificates() -> None:
    strays = set(STRAY) - {"SSL_CERT_FILE", "AWS_ENDPOINT_URL"}
    assert not strays & set(made())
    assert made()["SSL_CERT_FILE"] == "/etc/ssl/cert.pem"


def test_lambdas_call_this_cloud_and_no_other() -> None:
    assert made()["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4567"


def test_iam_is_enforced_and_only_this_machine_is_served() -> None:
    assert (made()["AUTH"], made()["BIND_HOST"]) == ("true", "127.0.0.1")


def test_a_bootstrap_finds_the_emulators_own_python_first() -> None:
    assert made()["PATH"].startswith("/venv/bin:")


def test_whatever_it_writes_stays_in_its_folder() -> None:
    assert {made()[name].split("/")[1] for name in ("HOME", "TMPDIR", "STATE_DIR")} == {"state"}
