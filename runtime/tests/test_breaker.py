"""The breaker keeps its promises whatever happens, in any order."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from groundplan_runtime import breaker

LIMIT, RESET = 3, 10.0


class BreakerMachine(RuleBasedStateMachine):
    """Calls begin, end well, end badly, are abandoned or vanish while time passes; a model keeps the score."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.changes: list[str] = []
        self.breaker = breaker.Breaker(
            failures=LIMIT, reset_after=RESET, clock=lambda: self.now, changed=self.changes.append
        )
        self.running = 0
        self.row = 0
        self.opened_at: float | None = None
        self.trial_at: float | None = None

    @rule(seconds=st.floats(0, 25))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def a_call_asks(self) -> None:
        allowed = self.breaker.allow()
        if self.opened_at is None:
            assert allowed, "a closed breaker lets every call through"
        elif self.now - self.opened_at < RESET:
            assert not allowed, "an open breaker lets no call through"
        elif self.trial_at is not None and self.now - self.trial_at < RESET:
            assert not allowed, "a half-open breaker lets one call through"
        else:
            assert allowed, "after its time a breaker lets a trial through, also when the last one vanished"
            self.trial_at = self.now
        self.running += allowed

    @precondition(lambda self: self.running)
    @rule()
    def a_call_succeeds(self) -> None:
        self.breaker.succeeded()
        self.running -= 1
        self.row, self.opened_at, self.trial_at = 0, None, None

    @precondition(lambda self: self.running)
    @rule()
    def a_call_fails(self) -> None:
        self.breaker.failed()
        self.running -= 1
        self.row += 1
        if self.row >= LIMIT or self.trial_at is not None:
            self.opened_at, self.trial_at = self.now, None

    @precondition(lambda self: self.running)
    @rule()
    def a_call_is_abandoned(self) -> None:
        self.breaker.abandoned()
        self.running -= 1
        self.trial_at = None

    @precondition(lambda self: self.running)
    @rule()
    def a_call_vanishes(self) -> None:
        self.running -= 1

    @invariant()
    def the_state_is_the_models(self) -> None:
        if self.opened_at is None:
            expected = "closed"
        elif self.trial_at is not None or self.now - self.opened_at >= RESET:
            expected = "half_open"
        else:
            expected = "open"
        assert self.breaker.state == expected

    @invariant()
    def retry_after_is_the_time_until_a_trial(self) -> None:
        waits = self.breaker.retry_after
        assert (waits > 0) == (self.breaker.state == "open")
        assert 0 <= waits <= RESET


TestBreaker = BreakerMachine.TestCase
