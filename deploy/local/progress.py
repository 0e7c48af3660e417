"""What a person sees of a long run: steps with what, how far and how long."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
REDRAW_SECONDS = 0.1
FIRST_SECONDS, QUIET_SECONDS = 1.0, 15.0
"""Without a terminal, a step that takes long says so after the first and then this often."""


class Progress:
    """Prints steps: one line that renews itself on a terminal, plain lines elsewhere."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._lock = threading.Lock()
        self._title = ""
        self._detail = ""
        self._begun = 0.0

    @contextmanager
    def step(self, title: str) -> Iterator["Progress"]:
        """Shows `title` as running until the block ends, then as done with its seconds."""
        self._title, self._detail, self._begun = title, "", time.monotonic()
        stop = threading.Event()
        drawer = threading.Thread(target=self._draw, args=(stop,), daemon=True)
        drawer.start()
        mark = "failed"
        try:
            yield self
            mark = "ok"
        finally:
            stop.set()
            drawer.join()
            seconds = time.monotonic() - self._begun
            detail = f": {self._detail}" if self._detail and mark == "failed" else ""
            self._line(f"{'✓' if mark == 'ok' else '✗'} {title}{detail}  {seconds:.1f} s")

    def report(self, detail: str) -> None:
        """How far the running step is."""
        self._detail = detail

    def _draw(self, stop: threading.Event) -> None:
        frame, says = 0, self._begun + FIRST_SECONDS
        while not stop.wait(REDRAW_SECONDS):
            elapsed = time.monotonic() - self._begun
            detail = f": {self._detail}" if self._detail else ""
            if self._terminal:
                frame += 1
                text = f"{FRAMES[frame % len(FRAMES)]} {self._title}{detail}  {elapsed:.0f} s"
                with self._lock:
                    self._stream.write(f"\r\033[K{text[:100]}")
                    self._stream.flush()
            elif time.monotonic() > says:
                says += QUIET_SECONDS
                self._line(f"... {self._title}{detail}  {elapsed:.0f} s")

    def _line(self, text: str) -> None:
        with self._lock:
            start = "\r\033[K" if self._terminal else ""
            self._stream.write(f"{start}{text}\n")
            self._stream.flush()
