"""What the server is doing: the phases from start to the first answer, for probes and people."""

import threading
from typing import Literal

Phase = Literal["starting", "loading", "warming", "ready", "failed"]

_SENTENCES: dict[Phase, str] = {
    "starting": "the server is starting",
    "loading": "the model is loading",
    "warming": "the model is loaded and answers a first, empty question",
    "ready": "the model answers",
    "failed": "the model could not be loaded",
}


class Health:
    """The current phase; written by the engine's thread, read by the HTTP side."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._phase: Phase = "starting"

    @property
    def phase(self) -> Phase:
        """One word."""
        with self._lock:
            return self._phase

    @property
    def detail(self) -> str:
        """One sentence for a person."""
        return _SENTENCES[self.phase]

    @property
    def ready(self) -> bool:
        """Whether a request is answered now."""
        return self.phase == "ready"

    def enter(self, phase: Phase) -> None:
        """Go to `phase`."""
        with self._lock:
            self._phase = phase
