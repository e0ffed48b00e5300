"""Long lines on a terminal."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctl.view import pages
from ctl.view.wrapping import wrapped

ROW = "  9  load_test             FAILED     23:38:46    56.2 s  "
ROW += "SloMissed: version 2 missed its SLOs: p99 3,000 ms, limit 2,000"
ASKED = "  python -m ctl approve d-1   # users get it"


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("short", 5, ["short"]),
        ("short s", 5, ["short", "    s"]),
        ("ok   versions  proxyctl 0.1.0, Python", 32, ["ok   versions  proxyctl 0.1.0,", "               Python"]),
        ("  remedy: raise one or lower the other", 24, ["  remedy: raise one or", "      lower the other"]),
        ("run `make stop && make demo` to go on", 22, ["run", "    `make stop && make demo`", "    to go on"]),
        ("one two\nthree four", 9, ["one two", "three", "    four"]),
        (ASKED, 30, [ASKED]),
        ("see http://127.0.0.1:5000/a/long/address", 20, ["see", "    http://127.0.0.1:5000/a/long/address"]),
    ],
)  # fmt: skip
def test_a_line_breaks_between_words_and_goes_on_indented(text: str, width: int, lines: list[str]) -> None:
    assert wrapped(text, width, commands="python -m ctl").split("\n") == lines


def test_a_row_goes_on_below_its_text_where_there_is_room_and_near_its_beginning_where_not() -> None:
    narrow, wide = (wrapped(ROW, width).split("\n") for width in (80, 120))
    assert narrow[1] == "      missed its SLOs: p99 3,000 ms, limit 2,000"
    assert wide[1] == " " * 58 + "2,000"


WORDS = st.lists(st.text("abc`,.", min_size=1, max_size=12), min_size=1, max_size=30)


@given(WORDS, st.integers(20, 120))
def test_no_word_is_lost_and_no_line_is_too_long(words: list[str], width: int) -> None:
    lines = wrapped(" ".join(words), width).split("\n")
    assert " ".join(line.strip() for line in lines).split() == words
    assert all(len(line) <= width or len(line.split("`")) > 1 for line in lines)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("kind", "lines"), [(Terminal, 2), (io.StringIO, 1)])
def test_a_terminal_gets_broken_lines_and_a_pipe_whole_ones(
    kind: type[io.StringIO], lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = kind()
    pages.put([("proxyctl: nobody can say why this did not work out", "")], out)
    assert len(out.getvalue().splitlines()) == lines
