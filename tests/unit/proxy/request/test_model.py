"""The model is found and exchanged in place, whatever surrounds it."""

import json

import pytest

from proxy.errors import ProxyError
from proxy.request.model import find_model

JSON = "application/json"


@pytest.mark.parametrize(
    "text",
    [
        '{"model":"a"}',
        ' { "x" : [1, {"model": "inner"}], "model"\n:\t"a" , "y": null } ',
        '{"m\\u006fdel":"a"}',
        '{"text":"é\U0001f600\\n","model":"a","n":1e400}',
    ],
)
def test_the_top_level_model_is_the_one_that_json_has(text: str) -> None:
    named = find_model(JSON, text.encode())
    assert named is not None
    assert named.name == "a" == json.loads(text)["model"]
    assert text.encode()[named.start : named.end] == b'"a"'
    changed = json.loads(b"".join(named.body('b"\n')))
    assert changed == {**json.loads(text), "model": 'b"\n'}


@pytest.mark.parametrize(
    "text", ["{}", "[]", "[1]", "3", '"model"', '{"model":3}', '{"model":null}', '{"a":{"model":"x"}}']
)
def test_a_body_that_names_no_model_passes(text: str) -> None:
    assert find_model(JSON, text.encode()) is None


@pytest.mark.parametrize(
    "text",
    ["{", "{'model':1}", '{"model":"a"', '{"a" 1}', '{"a":1,}', '{"a":1 "b":2}', '{"a":1}x', "nul", '{"a', "{1:2}"],
)
def test_what_is_not_json_is_a_400_as_for_the_standard_parser(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    with pytest.raises(ProxyError) as refused:
        find_model("application/json; charset=utf-8", text.encode())
    assert refused.value.status == 400


def test_bytes_that_are_no_utf8_are_a_400() -> None:
    with pytest.raises(ProxyError):
        find_model(JSON, b'{"model":"\xff"}')


def test_json_nested_beyond_reason_is_a_400_and_not_a_crash() -> None:
    with pytest.raises(ProxyError):
        find_model(JSON, b"[" * 100_000)


@pytest.mark.parametrize("kind", ["", "text/plain", "application/octet-stream"])
def test_other_content_is_not_looked_into(kind: str) -> None:
    assert find_model(kind, b'{"model":"a"}') is None


def test_an_empty_body_names_nothing() -> None:
    assert find_model(JSON, b"") is None


FORM = (
    b'--b o\r\nContent-Disposition: form-data; name="file"; filename="model"\r\n\r\nname="model"\r\n\r\nx\r\n'
    b'--b o\r\nContent-Disposition: form-data; name="model"\r\nContent-Type: text/plain\r\n\r\nears\r\n'
    b'--b o\r\nContent-Disposition: form-data; name="language"\r\n\r\nen\r\n--b o--\r\n'
)


def test_the_part_called_model_is_exchanged_and_a_files_content_is_not_taken_for_it() -> None:
    named = find_model('multipart/form-data; boundary="b o"', FORM)
    assert named is not None
    assert named.name == "ears"
    assert b"".join(named.body("whisper-1")) == FORM.replace(b"ears", b"whisper-1")


@pytest.mark.parametrize("body", [FORM[:90], b"", b"nonsense", FORM.replace(b'name="model"', b'name="m"')])
def test_a_form_without_a_whole_model_part_passes(body: bytes) -> None:
    assert find_model("multipart/form-data; boundary=b o", body) is None


def test_a_form_without_a_boundary_passes() -> None:
    assert find_model("multipart/form-data", FORM) is None
