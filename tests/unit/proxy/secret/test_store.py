"""Where the secret is asked for, and what is made of the answers."""

import pytest

from proxy.secret.store import CURRENT, PENDING, SecretsManager, SecretUnreadable, TextStore

ARN = "arn:aws:secretsmanager:eu-west-1:1:secret:x"


class Scripted(SecretsManager):
    """Answers instead of the network; notes the waits."""

    def __init__(self, *answers: tuple[int, bytes] | OSError, stages: tuple[str, ...] = (CURRENT,)) -> None:
        self.answers = list(answers)
        self.waits: list[float] = []
        self.asked_for: list[str] = []
        super().__init__(ARN, {}, sleep=self.waits.append, stages=stages)

    def _post(self, stage: str) -> tuple[int, bytes]:
        self.asked_for.append(stage)
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer


GOOD = (200, b'{"SecretString": "text", "VersionId": "v1"}')


@pytest.mark.parametrize(
    ("arn", "env", "host"),
    [
        (ARN, {}, "secretsmanager.eu-west-1.amazonaws.com"),
        (ARN, {"AWS_REGION": "us-east-2"}, "secretsmanager.eu-west-1.amazonaws.com"),
        ("name", {"AWS_REGION": "us-east-2"}, "secretsmanager.us-east-2.amazonaws.com"),
        (ARN.replace("eu-west-1", "cn-north-1"), {}, "secretsmanager.cn-north-1.amazonaws.com.cn"),
        (ARN, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "127.0.0.1:1"),
        (
            ARN,
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://127.0.0.1:2"},
            "127.0.0.1:2",
        ),
    ],
)
def test_the_endpoint_follows_the_arn_and_the_sdks_variables(arn: str, env: dict[str, str], host: str) -> None:
    assert SecretsManager(arn, env)._host == host


def test_throttling_server_errors_and_lost_connections_are_tried_again_with_growing_waits() -> None:
    store = Scripted((400, b'{"__type": "com.amazonaws#ThrottlingException"}'), ConnectionResetError(), GOOD)
    assert store.read() == ("text", "v1")
    assert store.waits[0] < store.waits[1]


def test_a_refusal_is_not_tried_again_and_names_awss_code() -> None:
    store = Scripted((400, b'{"__type": "AccessDeniedException"}'))
    with pytest.raises(SecretUnreadable, match="400 AccessDeniedException"):
        store.read()


def test_tries_end() -> None:
    with pytest.raises(SecretUnreadable, match="503 without"):
        Scripted(*[(503, b"<html>")] * 3).read()


@pytest.mark.parametrize("body", [b'{"SecretBinary": "eA==", "VersionId": "v1"}', b"[]", b"x"])
def test_a_secret_that_is_no_text_is_named_as_such(body: bytes) -> None:
    with pytest.raises(SecretUnreadable, match="SecretString"):
        Scripted((200, body)).read()


MISSING = (400, b'{"__type": "ResourceNotFoundException"}')
FIRST_PENDING = (PENDING, CURRENT)


def test_the_candidates_store_reads_the_pending_version_where_there_is_one() -> None:
    store = Scripted(GOOD, stages=FIRST_PENDING)
    assert store.read() == ("text", "v1")
    assert store.asked_for == [PENDING]


def test_the_candidates_store_reads_the_current_version_where_none_is_pending() -> None:
    store = Scripted(MISSING, GOOD, stages=FIRST_PENDING)
    assert store.read() == ("text", "v1")
    assert store.asked_for == [PENDING, CURRENT]


def test_a_pending_version_that_cannot_be_read_is_no_missing_one() -> None:
    store = Scripted((400, b'{"__type": "AccessDeniedException"}'), GOOD, stages=FIRST_PENDING)
    with pytest.raises(SecretUnreadable, match="AccessDenied"):
        store.read()


def test_a_users_store_never_asks_for_the_pending_version() -> None:
    store = Scripted(GOOD)
    store.read()
    assert store.asked_for == [CURRENT]


def test_a_file_that_cannot_be_read_is_named() -> None:
    def read() -> str:
        raise FileNotFoundError(2, "No such file or directory", "secret.json")

    with pytest.raises(SecretUnreadable, match=r"secret\.json: No such file"):
        TextStore(read).read()


def test_a_file_that_is_no_text_is_named_as_such() -> None:
    with pytest.raises(SecretUnreadable, match="not UTF-8"):
        TextStore(b"sk-SECRET\xff".decode).read()
