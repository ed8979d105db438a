"""How each step is done: one row a kind of step, what begins it and what it makes of events, prompts and its timer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..model import media
from ..model.work import PromptReady, SpeechSource
from ..sip import values as sip
from . import steps, tones

if TYPE_CHECKING:
    from .conversation import Conversation

THRESHOLD = 200
PATIENCE_S = 1.0
"""How long a step lasts that could not be done, so that a script never turns without time passing."""
INFO_GAP_S = 0.25


@dataclass(slots=True)
class Playing:
    """A prompt: first waited for, then played."""

    source: Any
    what: str
    text: str
    times: int
    wait: bool
    id: int | None = None
    spare: bool = False
    """A tone stands in for a voice that failed."""


@dataclass(slots=True)
class Listening:
    since: float | None = None
    """When the speech began."""


@dataclass(slots=True)
class Pressing:
    id: int | None = None
    left: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """One row."""

    begin: Callable[[Conversation, Any, float], None]
    media: Callable[[Conversation, Any, Any, float], None] = lambda call, step, item, now: None
    timer: Callable[[Conversation, Any, float], None] = lambda call, step, now: call.ended(now)


def begin(call: Conversation, step: steps.Step, now: float) -> None:
    """Begin a step."""
    DOING[type(step)].begin(call, step, now)


def on_media(call: Conversation, item: Any, now: float) -> None:
    """An event of the call's stream, for the step that runs."""
    step = _running(call)
    if step is not None:
        DOING[type(step)].media(call, step, item, now)


def on_timer(call: Conversation, now: float) -> None:
    """The running step's timer."""
    step = _running(call)
    if step is not None:
        DOING[type(step)].timer(call, step, now)


def on_prompt(call: Conversation, source: Any, ready: PromptReady | None, now: float) -> None:
    """A prompt has been made, or cannot be."""
    doing = call.doing
    if not isinstance(doing, Playing) or doing.id is not None or doing.source != source:
        return
    if ready is not None:
        _play(call, doing, ready, now)
    elif not doing.spare and isinstance(source, SpeechSource):
        doing.spare = True
        doing.source = tones.source(330, min(20_000, 60 * len(source.text)))
        _prepare(call, doing, now)
    else:
        call.tell("said", now, text="(nothing: the prompt could not be made)")
        call.alarm(PATIENCE_S, now)


def _running(call: Conversation) -> steps.Step | None:
    known = call.subscriber.steps
    step = known[call.index] if 0 <= call.index < len(known) else None
    return step if type(step) in DOING else None


# --- playing ---


def _say(call: Conversation, step: steps.Say, now: float) -> None:
    text = step.text.replace("{keys}", " ".join(call.keys) or "nothing")
    source = SpeechSource(text=text, voice=step.voice or call.settings.voice)
    call.doing = Playing(source=source, what="said", text=text, times=1, wait=step.wait)
    _prepare(call, call.doing, now)


def _tone(call: Conversation, step: steps.Tone, now: float) -> None:
    text = f"{step.hertz} Hz, {step.ms} ms"
    call.doing = Playing(source=tones.source(step.hertz, step.ms), what="beeped", text=text, times=step.times, wait=step.wait)
    _prepare(call, call.doing, now)


def _prepare(call: Conversation, doing: Playing, now: float) -> None:
    ready = call.prompts.get(doing.source)
    if ready is None:
        call.prompts.ask(doing.source, call.session)
    else:
        _play(call, doing, ready, now)


def _play(call: Conversation, doing: Playing, ready: PromptReady, now: float) -> None:
    doing.id = call.command()
    call.submit(media.Play(id=doing.id, stream=call.session, path=ready.path, repeat=doing.times))
    call.tell(doing.what, now, text=f"{doing.text} (as a tone: no voice)" if doing.spare else doing.text)
    if not doing.wait:
        call.ended(now)


def _played(call: Conversation, step: Any, item: Any, now: float) -> None:
    doing = call.doing
    if not isinstance(doing, Playing) or doing.id is None:
        return
    if isinstance(item, media.PlayEnded) and item.id == doing.id:
        call.ended(now)
    elif isinstance(item, media.Failed) and item.id == doing.id:
        call.alarm(PATIENCE_S, now)


# --- hearing ---


def _watch(call: Conversation, quiet: float) -> None:
    call.submit(media.Watch(id=call.command(), stream=call.session, silence_ms=round(quiet * 1000), threshold=THRESHOLD))


def _unwatch(call: Conversation) -> None:
    call.submit(media.Unwatch(id=call.command(), stream=call.session))


def _hear(call: Conversation, step: steps.Hear, now: float) -> None:
    _watch(call, 1.0)
    call.alarm(step.at_most, now)


def _heard(call: Conversation, step: steps.Hear, item: Any, now: float) -> None:
    if isinstance(item, media.Speech):
        call.hear("speech", now)
        _unwatch(call)
        call.ended(now)


def _listen(call: Conversation, step: steps.Listen, now: float) -> None:
    call.doing = Listening()
    _watch(call, step.quiet)
    call.alarm(step.at_most, now)


def _listened(call: Conversation, step: steps.Listen, item: Any, now: float) -> None:
    doing = call.doing
    if isinstance(item, media.Speech) and doing.since is None:
        doing.since = now
        call.hear("speech", now)
    elif isinstance(item, media.Silence) and doing.since is not None:
        call.hear("quiet", now, seconds=round(max(0.0, now - doing.since - item.ms / 1000), 1))
        _unwatch(call)
        call.ended(now)


def _patience_over(call: Conversation, step: Any, now: float) -> None:
    if not isinstance(call.doing, Listening) or call.doing.since is None:
        call.hear("nothing", now)
    _unwatch(call)
    call.ended(now)


# --- keys ---


def _press(call: Conversation, step: steps.Press, now: float) -> None:
    call.doing = Pressing(left=step.keys)
    call.tell("pressed", now, text=step.keys)
    if step.by == "info":
        _press_by_info(call, step, now)
        return
    call.doing.id = call.command()
    call.submit(media.SendDigits(id=call.doing.id, stream=call.session, digits=step.keys, tone_ms=step.tone_ms, gap_ms=step.gap_ms))


def _press_by_info(call: Conversation, step: steps.Press, now: float) -> None:
    doing = call.doing
    if not isinstance(doing, Pressing) or not doing.left:
        call.ended(now)
        return
    key, doing.left = doing.left[0], doing.left[1:]
    if key != ",":
        body = f"Signal={key}\r\nDuration={step.tone_ms}\r\n".encode()
        call.submit(sip.SendInfo(session=call.session, body=body))
    call.alarm(INFO_GAP_S + step.tone_ms / 1000, now)


def _pressed(call: Conversation, step: steps.Press, item: Any, now: float) -> None:
    if isinstance(item, media.DigitsSent | media.Failed) and item.id == call.doing.id:
        call.ended(now)


def _press_timer(call: Conversation, step: steps.Press, now: float) -> None:
    if step.by == "info":
        _press_by_info(call, step, now)


def _read(call: Conversation, step: steps.Read, now: float) -> None:
    call.alarm(step.first, now)
    _take_keys(call, step, now)


def _read_key(call: Conversation, step: steps.Read, item: Any, now: float) -> None:
    if isinstance(item, media.Digit):
        call.alarm(step.between, now)
        _take_keys(call, step, now)


def _take_keys(call: Conversation, step: steps.Read, now: float) -> None:
    """Take what has been typed, also before the step began."""
    for n, key in enumerate(call.typed):
        if key in step.terminators or n + 1 == step.keys:
            call.keys = call.typed[: n if key in step.terminators else n + 1]
            call.typed = call.typed[n + 1 :]
            call.ended(now)
            return


def _read_over(call: Conversation, step: steps.Read, now: float) -> None:
    call.keys, call.typed = call.typed, ""
    if not call.keys:
        call.hear("nothing", now)
    call.ended(now)


# --- the rest ---


def _wait(call: Conversation, step: steps.Wait, now: float) -> None:
    call.alarm(step.seconds, now)


def _ring(call: Conversation, step: steps.Ring, now: float) -> None:
    call.submit(sip.Ring(session=call.session))
    call.tell("rings", now)
    if step.seconds is not None:
        call.alarm(step.seconds, now)


def _early(call: Conversation, step: steps.Early, now: float) -> None:
    call.early(now)
    call.ended(now)


def _echo(call: Conversation, step: steps.Echo, now: float) -> None:
    call.submit(media.Echo(id=call.command(), stream=call.session))
    call.tell("echoes", now)
    if step.seconds is not None:
        call.alarm(step.seconds, now)


def _echo_over(call: Conversation, step: steps.Echo, now: float) -> None:
    call.submit(media.Unecho(id=call.command(), stream=call.session))
    call.ended(now)


def _stay(call: Conversation, step: steps.Stay, now: float) -> None:
    pass


DOING: dict[type[steps.Step], Doing] = {
    steps.Wait: Doing(begin=_wait),
    steps.Ring: Doing(begin=_ring),
    steps.Early: Doing(begin=_early),
    steps.Say: Doing(begin=_say, media=_played),
    steps.Tone: Doing(begin=_tone, media=_played),
    steps.Hear: Doing(begin=_hear, media=_heard, timer=_patience_over),
    steps.Listen: Doing(begin=_listen, media=_listened, timer=_patience_over),
    steps.Press: Doing(begin=_press, media=_pressed, timer=_press_timer),
    steps.Read: Doing(begin=_read, media=_read_key, timer=_read_over),
    steps.Echo: Doing(begin=_echo, timer=_echo_over),
    steps.Stay: Doing(begin=_stay),
}
"""Every step that takes time; `Answer`, `Refuse`, `Redirect`, `HangUp` and `Again` are the conversation's own."""
