"""How much may be done at once."""


class TokenBucket:
    """`capacity` actions at once, `per_second` in the long run."""

    def __init__(self, *, capacity: float, per_second: float, now: float) -> None:
        self._capacity = capacity
        self._per_second = per_second
        self._tokens = capacity
        self._at = now

    def take(self, now: float) -> bool:
        """Whether one more action may be done now."""
        earned = max(now - self._at, 0.0) * self._per_second
        self._tokens, self._at = min(self._tokens + earned, self._capacity), now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
