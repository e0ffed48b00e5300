"""The model of a multipart form, however a client writes its parameters (RFC 2045, 2046, 7578)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import ProxyError
from proxy.request.form import parameters
from proxy.request.model import find_model

DISPOSITIONS = [
    'Content-Disposition: form-data; name="model"',
    "Content-Disposition: form-data; name=model",
    "content-disposition:form-data;name=model",
    "CONTENT-DISPOSITION: form-data ; NAME = model",
    'Content-Disposition: form-data; name = "model" ; filename = "model.txt"',
    'Content-Disposition: form-data; filename="a;name=file"; name="model"',
    'Content-Disposition: form-data; name="mo\\del"',
    'Content-Type: text/plain\r\nContent-Disposition: form-data; name="model"\r\nX: y',
    'Content-Disposition: form-data;\r\n name="model"',
]


def form(*parts: tuple[str, bytes], boundary: bytes = b"b") -> bytes:
    body = b"".join(b"--" + boundary + b"\r\n" + head.encode() + b"\r\n\r\n" + text + b"\r\n" for head, text in parts)
    return body + b"--" + boundary + b"--\r\n"


FILE = ('Content-Disposition: form-data; name="file"; filename="model"', b'name="model"\r\n\r\nx --b name=model')


@pytest.mark.parametrize("disposition", DISPOSITIONS)
@pytest.mark.parametrize("kind", ["boundary=b", 'boundary="b"', "charset=x; Boundary = b", 'boundary="\\b" ; x=y'])
def test_the_model_part_is_found_and_nothing_else_changed(disposition: str, kind: str) -> None:
    body = form(FILE, (disposition, b"stt"), ('Content-Disposition: form-data; name="language"', b"en"))
    named = find_model(f"multipart/form-data; {kind}", body)
    assert named is not None
    assert named.name == "stt"
    assert b"".join(named.body("whisper-1")) == body.replace(b"stt", b"whisper-1")


@pytest.mark.parametrize(
    "disposition",
    [
        'Content-Disposition: form-data; name="models"',
        "Content-Disposition: form-data; name=amodel",
        'Content-Disposition: form-data; x-name="model"',
        'Content-Disposition: form-data; filename="model"',
        'X-Content-Disposition: form-data; name="model"',
        'Content-Disposition: form-data; x="; name=model"',
    ],
)
def test_another_part_is_not_taken_for_the_model(disposition: str) -> None:
    assert find_model("multipart/form-data; boundary=b", form(FILE, (disposition, b"stt"))) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        form((DISPOSITIONS[0], b"stt"))[:-10],
        b"--bb" + form((DISPOSITIONS[0], b"stt"))[3:],
        form((DISPOSITIONS[0], b"x" * 5000)),
    ],
)
def test_a_form_without_a_whole_model_part_passes(body: bytes) -> None:
    assert find_model("multipart/form-data; boundary=b", body) is None


def test_a_boundary_that_is_the_beginning_of_a_line_is_no_delimiter() -> None:
    body = form(("Content-Disposition: form-data; name=model", b"stt\r\n--bx"))
    named = find_model("multipart/form-data; boundary=b", body)
    assert named is not None
    assert named.name == "stt\r\n--bx"


def test_two_models_are_refused_for_the_upstream_might_take_the_other() -> None:
    with pytest.raises(ProxyError) as refused:
        find_model("multipart/form-data; boundary=b", form((DISPOSITIONS[0], b"a"), (DISPOSITIONS[1], b"b")))
    assert (refused.value.status, refused.value.code) == (400, "duplicate_model")


MODEL_A = "--b\r\nContent-Disposition: form-data; name=model\r\n\r\na\r\n"
END = "--b--\r\n"
PADDING = "X: " + "y" * 17_000


@pytest.mark.parametrize(
    "body",
    [
        MODEL_A + "--b\r\nContent-Disposition: form-data; name=model\r\n\r\nother",
        MODEL_A + "--b\r\nContent-Disposition: form-data; name=model\r\n\r\n" + "o" * 5000 + "\r\n" + END,
        MODEL_A + "--b\r\nContent-Disposition: form-data; name=model\r\n\r\n\r\n" + END,
        MODEL_A + MODEL_A.replace("\r\n\r\n", f"\r\n{PADDING}\r\n\r\n") + END,
        "--b\r\n\r\nx\r\n" * 1000 + MODEL_A + END,
        MODEL_A.replace("a\r\n", "a\r\n--bx" * 2000) + "\r\n" + END,
        MODEL_A + "--b\r\nContent-Disposition: form-data; name=x; name=model\r\n\r\nother\r\n" + END,
        MODEL_A + "--b\r\nContent-Disposition: form-data; name=x; name*=utf-8''model\r\n\r\nother\r\n" + END,
        MODEL_A + "--b\r\nContent-Disposition: form-data; name*0=mo; name*1=del\r\n\r\nother\r\n" + END,
        MODEL_A
        + "--b\r\nContent-Disposition: form-data; name=x\r\nContent-Disposition: form-data; name=model\r\n\r\no\r\n"
        + END,
        MODEL_A + "--b\r\nContent-Disposition: form-data; name=model\n\nother\r\n" + END,
        MODEL_A + "--b\r\nX: y\nContent-Disposition: form-data; name=model\r\n\r\nother\r\n" + END,
        MODEL_A + "--b\r\nX: y\rContent-Disposition: form-data; name=model\r\n\r\nother\r\n" + END,
        MODEL_A.replace("a\r\n", "a\n--b\nContent-Disposition: form-data; name=model\n\nother\n--b--\n") + END,
        "--b\nContent-Disposition: form-data; name=model\n\nother\r\n" + MODEL_A + END,
    ],
    ids=[
        "without an end",
        "long",
        "empty",
        "long head",
        "many parts",
        "many lines like the boundary",
        "two names",
        "name and name*",
        "name*0",
        "two dispositions",
        "blank line by LF",
        "field by LF",
        "field by CR",
        "delimiters by LF",
        "first delimiter by LF",
    ],
)
def test_a_form_in_which_another_program_may_read_another_model_is_refused(body: str) -> None:
    with pytest.raises(ProxyError) as refused:
        find_model("multipart/form-data; boundary=b", body.encode())
    assert refused.value.status == 400
    assert refused.value.code in ("invalid_form", "duplicate_model")


def test_a_content_type_with_two_boundaries_is_refused() -> None:
    with pytest.raises(ProxyError) as refused:
        find_model("multipart/form-data; boundary=c; boundary=b", form((DISPOSITIONS[0], b"a")))
    assert refused.value.code == "invalid_form"


def test_a_file_may_hold_lines_that_end_in_lf_and_begin_like_the_boundary() -> None:
    content = b"\n\n--bx\n --b\n---b\r--b\nname=model\r\n\r\n"
    body = form(('Content-Disposition: form-data; name="file"; filename="f"', content), (DISPOSITIONS[0], b"stt"))
    named = find_model("multipart/form-data; boundary=b", body)
    assert named is not None
    assert named.name == "stt"


@pytest.mark.parametrize(
    "text",
    [
        '{"model":"a","model":"b"}',
        '{"model":"a","x":1,"mo\\u0064el":"a"}',
        '{"model":1,"model":"b"}',
        '{"model":"a","Model":"b"}',
    ],
)
def test_two_models_in_json_are_refused_as_well(text: str) -> None:
    with pytest.raises(ProxyError) as refused:
        find_model("application/json", text.encode())
    assert refused.value.code == "duplicate_model"


BLANKS = st.sampled_from(["", " ", "\t", "  "])
TOKENS = st.text("abcMODEL019-_.", min_size=1, max_size=8)
QUOTED = st.text('ab "\\;=é', max_size=8)


@given(st.lists(st.tuples(TOKENS, TOKENS | QUOTED, st.booleans(), BLANKS, BLANKS, BLANKS), max_size=5))
def test_parameters_are_read_in_every_spelling(items: list[tuple[str, str, bool, str, str, str]]) -> None:
    text, expected = "form-data", list[tuple[str, str]]()
    for name, value, quoted, before, around, after in items:
        plain = not quoted and value and all(char.isalnum() or char in "-_." for char in value)
        written = value if plain else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        text += f"{before};{before}{name}{around}={around}{written}{after}"
        expected.append((name.lower(), value))
    assert parameters(text) == expected


@given(st.binary(max_size=120))
def test_whatever_bytes_come_nothing_else_is_raised(noise: bytes) -> None:
    for body in (
        noise,
        b"--b\r\n" + noise,
        form((DISPOSITIONS[0], b"a")) + noise,
        form((noise.decode("latin-1"), noise)),
    ):
        with contextlib.suppress(ProxyError):
            find_model("multipart/form-data; boundary=b", body)
