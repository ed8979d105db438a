"""The core of PlayAudio, Speak and Pause: one thing is heard on one leg (reference 10.2, 10.4, 10.8).

Theory of operation. A prompt is prepared first (fetched or synthesised, decoded, resampled), then played by the engine, which also counts
repeats and listens for terminators; a pause is silence that the engine plays, so that its length is exact on the media clock.
"""

from __future__ import annotations

from enum import auto
from typing import Any

from ..core import IGNORE, Symbol, Table
from ..model.actions import Action
from ..model.ids import CommandId, LegId, Token
from ..model.media import Failed, Play, PlayEnded, Stop
from ..model.work import ObjectSource, Prompt, PromptReady, SpeechSource, WorkFailed
from . import prompts
from .machine import Machine
from .values import Context, Finished, Interrupt, Interrupted, LegGone


class State(Symbol):
    PREPARING = auto()
    PLAYING = auto()
    STOPPING = auto()
    OVER = auto()


class Input(Symbol):
    PREPARED = auto()
    UNUSABLE = auto()
    PLAYED = auto()
    REFUSED = auto()
    """The engine could not play."""
    INTERRUPT = auto()
    GONE = auto()
    """The leg has ended: nobody is there to report to."""


class Playback(Machine):
    """Plays `what` (a prompt, or this many milliseconds of silence), then reports."""

    def __init__(
        self, echo: Action, leg: LegId, context: Context, what: ObjectSource | SpeechSource | int, repeat: int = 1, stop_digits: str = ""
    ) -> None:
        super().__init__(echo, leg, context, State.PREPARING)
        self._repeat = repeat
        self._stop_digits = stop_digits
        self._play: CommandId | None = None
        self._token: Token | None = None
        self._source: ObjectSource | SpeechSource | None = None
        if isinstance(what, int):
            self.state = State.PLAYING
            self._play = self.command_id()
            self.put(Play(id=self._play, stream=self.stream, silence_ms=what))
        else:
            self._source = what
            self._token = self.token()
            self.put(Prompt(token=self._token, source=what, call=context.call))

    def table(self) -> Table:
        return PLAYBACK

    def sort(self, item: Any) -> Input | None:
        match item:
            case PromptReady(token=token) if token == self._token:
                return Input.PREPARED
            case WorkFailed(token=token) if token == self._token:
                return Input.UNUSABLE
            case PlayEnded(id=id, why=why) if id == self._play:
                return Input.GONE if why == "stream_closed" else Input.PLAYED
            case Failed(id=id) if id == self._play:
                return Input.REFUSED
            case Interrupt():
                return Input.INTERRUPT
            case LegGone():
                return Input.GONE
        return None

    def play(self, ready: PromptReady) -> None:
        """Give the prepared file to the engine."""
        self._play = self.command_id()
        command = Play(id=self._play, stream=self.stream, path=ready.path, repeat=self._repeat, stop_digits=self._stop_digits)
        self.put(command)

    def stop(self, _item: Any) -> None:
        """Have the engine stop; its `PlayEnded` follows."""
        assert self._play is not None
        self.put(Stop(id=self.command_id(), stream=self.stream, target=self._play))

    def explain(self, failed: WorkFailed) -> None:
        """Fail for what is wrong with the prompt."""
        assert self._source is not None
        self.note(f"{prompts.described(self._source)} cannot be played: {failed.detail or failed.reason}", reason=failed.reason)
        self.put(prompts.failure(failed, self._source))

    def finish(self, _item: Any) -> None:
        """Played to its end, or ended by a terminator, which counts as success."""
        self.put(Finished())

    def interrupted(self, _item: Any) -> None:
        """Stopped for a call update."""
        self.put(Interrupted())


_LATE = IGNORE("the action has ended")
_NOT_PLAYING = IGNORE("nothing plays yet")

PLAYBACK: Table = {
    State.PREPARING: {
        Input.PREPARED: (State.PLAYING, (Playback.play,)),
        Input.UNUSABLE: (State.OVER, (Playback.explain,)),
        Input.PLAYED: _NOT_PLAYING,
        Input.REFUSED: _NOT_PLAYING,
        Input.INTERRUPT: (State.OVER, (Playback.interrupted,)),
        Input.GONE: (State.OVER, ()),
    },
    State.PLAYING: {
        Input.PREPARED: IGNORE("it plays already"),
        Input.UNUSABLE: IGNORE("it plays already"),
        Input.PLAYED: (State.OVER, (Playback.finish,)),
        Input.REFUSED: (State.OVER, (Playback.break_down,)),
        Input.INTERRUPT: (State.STOPPING, (Playback.stop,)),
        Input.GONE: (State.OVER, ()),
    },
    State.STOPPING: {
        Input.PREPARED: IGNORE("it is being stopped"),
        Input.UNUSABLE: IGNORE("it is being stopped"),
        Input.PLAYED: (State.OVER, (Playback.interrupted,)),
        Input.REFUSED: (State.OVER, (Playback.interrupted,)),
        Input.INTERRUPT: IGNORE("it is being stopped"),
        Input.GONE: (State.OVER, (Playback.interrupted,)),
    },
    State.OVER: dict.fromkeys(Input, _LATE),
}
