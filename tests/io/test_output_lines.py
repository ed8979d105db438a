"""What a handler prints, within bounds: 8 kB a line, 1 MB an event."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from outdial.io.output_lines import OutputLines


def test_lines_are_cut_at_their_ends_wherever_the_reads_fell() -> None:
    lines = OutputLines()
    assert lines.feed(b"one\ntw") == [("one", 0)]
    assert lines.feed(b"o\r\n\nthree") == [("two", 0), ("", 0)]
    assert lines.finish() == [("three", 0)]
    assert lines.finish() == []


def test_a_long_line_is_cut_and_the_next_one_says_how_much_was_left_out() -> None:
    lines = OutputLines()
    assert lines.feed(b"x" * 10_000 + b"\nnext\n") == [("x" * 8192, 0), ("next", 10_000 - 8192)]


def test_a_long_line_at_the_end_says_so_too() -> None:
    lines = OutputLines()
    lines.feed(b"x" * 10_000)
    assert lines.finish() == [("x" * 8192, 0), ("", 10_000 - 8192)]


def test_after_1_mb_only_counting_goes_on_until_the_next_event() -> None:
    lines = OutputLines()
    kept = lines.feed((b"y" * 1023 + b"\n") * 1500)
    assert lines.full
    assert 1024 <= len(kept) <= 1026
    assert lines.finish() == [("", (1500 - len(kept)) * 1024)]
    lines.begin()
    assert lines.feed(b"again\n") == [("again", 0)]


def test_a_million_empty_lines_are_bounded_too() -> None:
    assert len(OutputLines().feed(b"\n" * 1_000_000)) <= 16_384


def test_binary_is_text_with_marks() -> None:
    assert OutputLines().feed(b"\xff\x00ok\n") == [("\ufffd\x00ok", 0)]


@given(st.lists(st.binary(max_size=12_000), max_size=10))
def test_every_byte_is_given_or_counted(pieces: list[bytes]) -> None:
    lines = OutputLines()
    out = [line for piece in pieces for line in lines.feed(piece)] + lines.finish()
    whole = b"".join(pieces)
    if b"\r" not in whole and whole.decode("utf-8", "replace").encode() == whole:
        ends = whole.count(b"\n")
        assert sum(len(text.encode()) + dropped for text, dropped in out) == len(whole) - ends
