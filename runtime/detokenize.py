"""Token ids to text as they come: whole characters only, and never past a stop string."""

from collections.abc import Callable, Sequence

_UNFINISHED = "\N{REPLACEMENT CHARACTER}"
"""What decoders give for a character whose bytes are not all there yet."""
_PATIENCE_TOKENS = 8
"""A character has at most four bytes and a token at least one: after twice that, the bytes are
malformed, and waiting on would decode an ever longer tail at every token."""


class Detokenizer:
    """The text of one growing answer.

    The pieces that `push` and `end` return, joined, are the decoded answer up to its first stop
    string. A token is decoded beside the few before it, because many tokenizers drop the space in
    front of a text's first word.
    """

    def __init__(
        self,
        decode: Callable[[list[int]], str],
        stop: Sequence[str] = (),
        context: Sequence[int] = (),
    ) -> None:
        self._decode = decode
        self._stop = tuple(s for s in stop if s)
        self._ids = list(context)
        self._start = 0
        self._read = len(self._ids)
        self._held = ""
        self.stopped = False
        """A stop string has come: nothing more will be returned."""

    def push(self, token: int) -> str:
        """The text that `token` completes; empty while a character or stop string is open."""
        self._ids.append(token)
        before = self._decode(self._ids[self._start : self._read])
        now = self._decode(self._ids[self._start :])
        if len(now) <= len(before):
            return ""
        if now.endswith(_UNFINISHED) and len(self._ids) - self._read < _PATIENCE_TOKENS:
            return ""
        self._start, self._read = self._read, len(self._ids)
        return self._release(now[len(before) :])

    def end(self) -> str:
        """What was held back, now that no token follows."""
        before = self._decode(self._ids[self._start : self._read])
        rest = self._release(self._decode(self._ids[self._start :])[len(before) :])
        held, self._held = self._held, ""
        return rest if self.stopped else rest + held

    def _release(self, text: str) -> str:
        if self.stopped:
            return ""
        text = self._held + text
        cut = min((at for s in self._stop if (at := text.find(s)) >= 0), default=-1)
        if cut >= 0:
            self.stopped, self._held = True, ""
            return text[:cut]
        keep = len(text) - _open_stop(text, self._stop)
        self._held = text[keep:]
        return text[:keep]


def _open_stop(text: str, stop: Sequence[str]) -> int:
    """Length of the longest end of `text` that a stop string may begin with."""
    return max(
        (n for s in stop for n in range(1, min(len(s), len(text) + 1)) if text.endswith(s[:n])),
        default=0,
    )
