"""Pieces, joined, are the decoded text up to its first stop string.

Case space: characters of one to four bytes cut at any byte, malformed bytes, stop strings that
begin in one piece and end in another or never, and tokenizers that drop a text's first space.
"""

import random

import pytest

from runtime import detokenize

TEXT = "Zür€ 😀 naïve ∑ plain text 漢字"


def decode_bytes(ids: list[int]) -> str:
    return bytes(ids).decode("utf-8", errors="replace")


def pieces(ids: list[int], stop: tuple[str, ...] = ()) -> tuple[list[str], detokenize.Detokenizer]:
    text = detokenize.Detokenizer(decode_bytes, stop)
    return [*(text.push(i) for i in ids), text.end()], text


def test_joined_pieces_are_the_text_and_hold_whole_characters() -> None:
    parts, _ = pieces(list(TEXT.encode()))
    assert "".join(parts) == TEXT
    assert all("\N{REPLACEMENT CHARACTER}" not in part for part in parts)


@pytest.mark.parametrize("seed", range(50))
def test_a_stop_string_ends_the_text_just_before_it(seed: int) -> None:
    draw = random.Random(seed)
    text = "".join(draw.choices("ab€", k=40))
    stop = tuple("".join(draw.choices("ab€", k=draw.randint(1, 4))) for _ in range(2))
    cuts = [text.find(s) for s in stop if s in text]
    parts, done = pieces(list(text.encode()), stop)
    assert "".join(parts) == (text[: min(cuts)] if cuts else text)
    assert done.stopped == bool(cuts)


def test_text_is_given_out_as_soon_as_no_stop_string_can_begin_in_it() -> None:
    text = detokenize.Detokenizer(decode_bytes, ("xyz",))
    assert [text.push(ord(c)) for c in "axyb"] == ["a", "", "", "xyb"]


def test_an_unfinished_character_comes_out_at_the_end() -> None:
    parts, _ = pieces(list("a€".encode()[:-1]))
    assert "".join(parts) == "a\N{REPLACEMENT CHARACTER}"


def test_malformed_bytes_are_not_waited_for_forever() -> None:
    text = detokenize.Detokenizer(decode_bytes)
    assert any(text.push(0xFF) for _ in range(20))


def decode_words(ids: list[int]) -> str:
    """As sentencepiece: every word brings its space, and a text's first space is dropped."""
    return "".join(f" w{i}" for i in ids).removeprefix(" ")


def test_words_keep_their_spaces() -> None:
    text = detokenize.Detokenizer(decode_words)
    assert [text.push(i) for i in (1, 2, 3)] == ["w1", " w2", " w3"]


def test_a_continued_text_keeps_the_space_before_its_first_word() -> None:
    text = detokenize.Detokenizer(decode_words, context=[7, 8])
    assert text.push(1) == " w1"
