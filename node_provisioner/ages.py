"""Since when things have been as they are, by a clock that only goes forward."""

from collections.abc import Hashable, Iterator, Mapping


class Ages:
    """How long each key has had its value; starts anew with the process."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[Hashable, float]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._since

    def update(self, values: Mapping[str, Hashable], now: float) -> None:
        """Take the present values; keys that are not among them are forgotten."""
        before = self._since
        self._since = {
            key: before[key] if key in before and before[key][0] == value else (value, now)
            for key, value in values.items()
        }

    def restart(self, key: str, now: float) -> None:
        """Count a present key's age from now."""
        if key in self._since:
            self._since[key] = (self._since[key][0], now)

    def forget(self, key: str) -> None:
        """Count the key's age from the next update."""
        self._since.pop(key, None)

    def all(self, now: float) -> Iterator[tuple[str, float]]:
        """Every key, with the seconds that it has had its value for."""
        return ((key, now - since) for key, (_, since) in self._since.items())

    def value(self, key: str) -> Hashable:
        """The value of a present key."""
        return self._since[key][0]

    def younger(self, seconds: float, now: float) -> Iterator[tuple[str, float]]:
        """Keys younger than `seconds`, with the seconds that they are short of it."""
        for key, (_, since) in self._since.items():
            if now - since < seconds:
                yield key, since + seconds - now

    def older(self, seconds: float, now: float) -> Iterator[str]:
        """Keys that have had their value for `seconds` or more."""
        return (key for key, (_, since) in self._since.items() if now - since >= seconds)
