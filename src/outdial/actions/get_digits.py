"""The core of PlayAudioAndGetDigits and SpeakAndGetDigits (reference 10.3, 10.5).

Theory of operation. Both prompts and the expression are made ready first, so that what is wrong with one of them is said before
anything is heard. An attempt plays the prompt and collects from its first moment on; the first digit stops the prompt. What was
collected is judged by count, then by the expression, which is tried on the digits with and without the terminator (reference 18). A bad
attempt plays the failure prompt, also after the last one; only then does the action fail. Attempts are counted, never listed: `Repeat`
may be 9,999.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import auto
from typing import Any, ClassVar, Final

from ..core import IGNORE, Symbol, Table
from ..model.actions import Action
from ..model.ids import CommandId, LegId, Token
from ..model.media import Collect, Collected, Failed, Play, PlayEnded, Stop
from ..model.work import Match, Matched, ObjectSource, Prompt, PromptReady, SpeechSource, WorkFailed
from . import prompts
from .machine import Machine
from .parameters import INVALID, SYSTEM, Refused, digit_set, number, text
from .values import Context, FailedAs, Finished, LegGone

BAD_LEG: Final = "CallId or ParticipantTag parameter for the action is invalid."
BAD_PATTERN: Final = "The InputDigitsRegex parameter is invalid."
MOST_DIGITS: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is collected, and when it is good."""

    pattern: str | None
    least: int
    most: int
    terminators: str
    between_ms: int
    first_ms: int
    attempts: int


def read(raw: dict[str, Any]) -> tuple[Rules, dict[str, Any]]:
    """The rules, and the parameters as events echo them. Raises `Refused`."""
    least = number(raw, "MinNumberOfDigits", "The MinNumberOfDigits parameter is invalid.", least=0)
    bad_most = "The MaxNumberOfDigits parameter is invalid."
    most = number(raw, "MaxNumberOfDigits", bad_most, least=1, most=MOST_DIGITS)
    if (least or 0) > (most or MOST_DIGITS):
        raise Refused(INVALID, bad_most)
    bad_first = "The RepeatDurationInMilliseconds parameter is invalid."
    first = number(raw, "RepeatDurationInMilliseconds", bad_first, least=1)
    if first is None:
        raise Refused(INVALID, bad_first)
    between = number(
        raw, "InBetweenDigitsDurationInMilliseconds", "The InBetweenDigitsDurationInMilliseconds parameter is invalid.", least=1
    )
    terminators = digit_set(raw, "TerminatorDigits", "The TerminatorDigits parameter is invalid.")
    attempts = number(raw, "Repeat", "The Repeat parameter is invalid.", least=1)
    pattern = text(raw, "InputDigitsRegex", BAD_PATTERN)
    rules = Rules(
        pattern=pattern,
        least=least or 0,
        most=MOST_DIGITS if most is None else most,
        terminators="#" if terminators is None else terminators,
        between_ms=between or first,
        first_ms=first,
        attempts=attempts or 1,
    )
    known = {
        "InputDigitsRegex": pattern,
        "MinNumberOfDigits": least,
        "MaxNumberOfDigits": most,
        "TerminatorDigits": None if terminators is None else list(terminators),
        "InBetweenDigitsDurationInMilliseconds": rules.between_ms,
        "Repeat": attempts,
        "RepeatDurationInMilliseconds": first,
    }
    return rules, known


class State(Symbol):
    PREPARING = auto()
    ASKING = auto()
    """The prompt plays, or has been played, and digits are collected."""
    JUDGING = auto()
    APOLOGISING = auto()
    """The failure prompt plays; another attempt follows."""
    PARTING = auto()
    """The failure prompt plays after the last attempt."""
    OVER = auto()


class Input(Symbol):
    PREPARED = auto()
    """Both prompts and the expression are ready."""
    NO_PROMPT = auto()
    NO_PATTERN = auto()
    """The expression does not compile, or takes too long."""
    ENOUGH = auto()
    """Collected; only the expression can say whether it is good."""
    GOOD = auto()
    BAD = auto()
    """Not good, and there are attempts left."""
    BAD_LAST = auto()
    APOLOGISED = auto()
    REFUSED = auto()
    GONE = auto()


class GetDigits(Machine):
    """Asks, collects, judges, and asks again."""

    system_error: ClassVar[str] = "System error while running the action."

    def __init__(
        self,
        echo: Action,
        leg: LegId,
        context: Context,
        rules: Rules,
        prompt: ObjectSource | SpeechSource,
        failure_prompt: ObjectSource | SpeechSource,
    ) -> None:
        super().__init__(echo, leg, context, State.PREPARING)
        self._rules = rules
        self._attempt = 0
        self._sources = {self.token(): prompt, self.token(): failure_prompt}
        self._ask, self._apology = self._sources
        self._ready: dict[Token, str] = {}
        self._compiling = self._judging = Token(0)
        self._running: set[CommandId] = set()
        """Commands of the present step whose refusal breaks the action."""
        self._collect = self._apologise = CommandId(0)
        self._digits = ""
        if rules.pattern is not None:
            self._compiling = self.token()
            self.put(Match(token=self._compiling, pattern=rules.pattern))
        for token, source in self._sources.items():
            self.put(Prompt(token=token, source=source, call=context.call))

    def table(self) -> Table:
        return GET_DIGITS

    def sort(self, item: Any) -> Input | None:
        match item:
            case PromptReady(token=token, path=path) if token in self._sources:
                self._ready[token] = path
                return self._prepared()
            case Matched(token=token) if token == self._compiling:
                self._compiling = Token(0)
                return self._prepared()
            case Matched(token=token, yes=yes) if token == self._judging:
                return Input.GOOD if yes else self._bad()
            case WorkFailed(token=token) if token in self._sources:
                return Input.NO_PROMPT
            case WorkFailed(token=token) if token in {self._compiling, self._judging}:
                return Input.NO_PATTERN
            case Collected(id=id, why=why) if id == self._collect:
                return Input.GONE if why == "stream_closed" else self._count(item)
            case PlayEnded(id=id, why=why) if id == self._apologise:
                return Input.GONE if why == "stream_closed" else Input.APOLOGISED
            case Failed(id=id) if id in self._running:
                return Input.REFUSED
            case LegGone():
                return Input.GONE
        return None

    def _prepared(self) -> Input | None:
        return Input.PREPARED if len(self._ready) == 2 and not self._compiling else None

    def _count(self, collected: Collected) -> Input:
        self._digits = collected.digits
        if len(collected.digits) < self._rules.least:
            return self._bad()
        return Input.GOOD if self._rules.pattern is None else Input.ENOUGH

    def _bad(self) -> Input:
        return Input.BAD if self._attempt < self._rules.attempts else Input.BAD_LAST

    def ask(self, _item: Any) -> None:
        """Play the prompt and collect from its first moment."""
        self._attempt += 1
        play, self._collect = self.command_id(), self.command_id()
        self._running = {play, self._collect}
        rules = self._rules
        self.put(Play(id=play, stream=self.stream, path=self._ready[self._ask]))
        self.put(
            Collect(
                id=self._collect,
                stream=self.stream,
                max_digits=rules.most,
                terminators=rules.terminators,
                first_ms=rules.first_ms,
                after=play,
                between_ms=rules.between_ms,
            )
        )

    def judge(self, collected: Collected) -> None:
        """Try the expression on the digits, without the terminator and with it."""
        assert self._rules.pattern is not None
        self._judging = self.token()
        texts = tuple(dict.fromkeys((collected.digits, collected.digits + collected.terminator)))
        self.put(Match(token=self._judging, pattern=self._rules.pattern, texts=texts))

    def apologise(self, _item: Any) -> None:
        """Play the failure prompt."""
        self._apologise = self.command_id()
        self._running = {self._apologise}
        self.put(Play(id=self._apologise, stream=self.stream, path=self._ready[self._apology]))

    def finish(self, _item: Any) -> None:
        """Report the digits, without the terminator."""
        self.put(Finished(results={"ReceivedDigits": self._digits}))

    def give_up(self, _item: Any) -> None:
        """The attempts are used up."""
        times = self._rules.attempts
        message = f"No valid digits were received in {times} attempt{'s' if times != 1 else ''}."
        self.put(FailedAs(error_type="InvalidDigitsReceived", message=message))

    def abandon(self, failed: Failed) -> None:
        """Fail for what the engine refused, and stop what else was asked of it."""
        for id in sorted(self._running - {failed.id}):
            self.put(Stop(id=self.command_id(), stream=self.stream, target=id))
        self.break_down(failed)

    def explain_prompt(self, failed: WorkFailed) -> None:
        """Fail for what is wrong with a prompt."""
        source = self._sources[failed.token]
        self.note(f"{prompts.described(source)} cannot be played: {failed.detail or failed.reason}", reason=failed.reason)
        self.put(prompts.failure(failed, source, self.system_error))

    def explain_pattern(self, failed: WorkFailed) -> None:
        """Fail for what is wrong with the expression."""
        self.note(f"InputDigitsRegex: {failed.detail or failed.reason}", reason=failed.reason)
        mistaken = failed.reason in {"pattern", "too_slow"}
        error_type, message = (INVALID, BAD_PATTERN) if mistaken else (SYSTEM, self.system_error)
        self.put(FailedAs(error_type=error_type, message=message))


_NOT_NOW = IGNORE("nothing of this is under way")
_PREPARED = IGNORE("everything was ready before the first attempt")
_END = (State.OVER, ())

GET_DIGITS: Table = {
    State.PREPARING: {
        Input.PREPARED: (State.ASKING, (GetDigits.ask,)),
        Input.NO_PROMPT: (State.OVER, (GetDigits.explain_prompt,)),
        Input.NO_PATTERN: (State.OVER, (GetDigits.explain_pattern,)),
        Input.ENOUGH: _NOT_NOW,
        Input.GOOD: _NOT_NOW,
        Input.BAD: _NOT_NOW,
        Input.BAD_LAST: _NOT_NOW,
        Input.APOLOGISED: _NOT_NOW,
        Input.REFUSED: _NOT_NOW,
        Input.GONE: _END,
    },
    State.ASKING: {
        Input.PREPARED: _PREPARED,
        Input.NO_PROMPT: _PREPARED,
        Input.NO_PATTERN: _PREPARED,
        Input.ENOUGH: (State.JUDGING, (GetDigits.judge,)),
        Input.GOOD: (State.OVER, (GetDigits.finish,)),
        Input.BAD: (State.APOLOGISING, (GetDigits.apologise,)),
        Input.BAD_LAST: (State.PARTING, (GetDigits.apologise,)),
        Input.APOLOGISED: _NOT_NOW,
        Input.REFUSED: (State.OVER, (GetDigits.abandon,)),
        Input.GONE: _END,
    },
    State.JUDGING: {
        Input.PREPARED: _PREPARED,
        Input.NO_PROMPT: _PREPARED,
        Input.NO_PATTERN: (State.OVER, (GetDigits.explain_pattern,)),
        Input.ENOUGH: _NOT_NOW,
        Input.GOOD: (State.OVER, (GetDigits.finish,)),
        Input.BAD: (State.APOLOGISING, (GetDigits.apologise,)),
        Input.BAD_LAST: (State.PARTING, (GetDigits.apologise,)),
        Input.APOLOGISED: _NOT_NOW,
        Input.REFUSED: IGNORE("the digits are in: whether the prompt could be played no longer matters"),
        Input.GONE: _END,
    },
    State.APOLOGISING: {
        Input.PREPARED: _PREPARED,
        Input.NO_PROMPT: _PREPARED,
        Input.NO_PATTERN: _NOT_NOW,
        Input.ENOUGH: _NOT_NOW,
        Input.GOOD: _NOT_NOW,
        Input.BAD: _NOT_NOW,
        Input.BAD_LAST: _NOT_NOW,
        Input.APOLOGISED: (State.ASKING, (GetDigits.ask,)),
        Input.REFUSED: (State.OVER, (GetDigits.abandon,)),
        Input.GONE: _END,
    },
    State.PARTING: {
        Input.PREPARED: _PREPARED,
        Input.NO_PROMPT: _PREPARED,
        Input.NO_PATTERN: _NOT_NOW,
        Input.ENOUGH: _NOT_NOW,
        Input.GOOD: _NOT_NOW,
        Input.BAD: _NOT_NOW,
        Input.BAD_LAST: _NOT_NOW,
        Input.APOLOGISED: (State.OVER, (GetDigits.give_up,)),
        Input.REFUSED: (State.OVER, (GetDigits.abandon,)),
        Input.GONE: _END,
    },
    State.OVER: {item: IGNORE("the action has ended") for item in Input},
}
