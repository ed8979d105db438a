"""A call on virtual time whose handler says what a test wants at each event: what the telephone does, and what the handler was given."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from outdial.model.requests import Placed
from outdial.testing.studio import tone
from outdial.testing.world import World

S3 = {"Type": "S3", "BucketName": "prompts"}
Event = dict[str, Any]
Answer = Any
"""A list: the actions of a good reply. A dict or a text: the whole reply. A function of the event: what it returns, or raises."""


def act(name: str, /, **parameters: Any) -> dict[str, Any]:
    """An action as handlers write it."""
    return {"Type": name, "Parameters": parameters}


@functools.cache
def sound(hertz: float, seconds: float) -> bytes:
    """A tone as a WAV file."""
    with tempfile.TemporaryDirectory() as folder:
        return tone(Path(folder) / "tone.wav", hertz, seconds).read_bytes()


class Line:
    """One node, one telephone. `answers`: by event type, or by `TYPE ActionType`; a tuple is given one by one."""

    def __init__(self, folder: Path, answers: Mapping[str, Answer] | None = None, **world: Any) -> None:
        prompts = folder / "buckets" / "prompts"
        prompts.mkdir(parents=True, exist_ok=True)
        for name, hz, seconds in (("ask", 600.0, 1.0), ("sorry", 900.0, 1.0), ("long", 1400.0, 30.0)):
            (prompts / f"{name}.wav").write_bytes(sound(hz, seconds))
        self.folder = folder
        self.answers: dict[str, Answer] = dict(answers or {})
        self.given: dict[str, int] = {}
        self.call = ""
        self.world = World(folder, self._handle, **world)

    def _handle(self, event: Event) -> Any:
        kind = event["InvocationEventType"]
        key = f"{kind} {event.get('ActionData', {}).get('Type')}"
        answer = self.answers.get(key, self.answers.get(kind, []))
        if isinstance(answer, tuple):
            turn = self.given.get(key, 0)
            self.given[key] = turn + 1
            answer = answer[turn] if turn < len(answer) else []
        if callable(answer):
            answer = answer(event)
        return {"SchemaVersion": "1.0", "Actions": answer} if isinstance(answer, list) else answer

    # --- what happens ---

    def place(self, **request: Any) -> Line:
        """Place a call; the INVITE has arrived at the telephone."""
        before = self.world.phone.incoming
        placed = self.world.place(**request)
        assert isinstance(placed, Placed), placed
        self.call = placed.call
        self.world.until(lambda: self.world.phone.incoming is not before)
        return self

    def connect(self, **request: Any) -> Line:
        """Place a call, let it ring for two seconds and be answered."""
        self.place(**request)
        self.world.order("ring")
        self.world.go(2.0)
        self.world.order("answer")
        self.until("CALL_ANSWERED")
        return self

    def press(self, digits: str, after: float = 0.0) -> Line:
        self.world.go(after)
        self.world.order("press", text=digits)
        return self

    def hang_up(self, after: float = 0.0) -> Line:
        self.world.go(after)
        self.world.order("hang_up")
        return self

    def update(self, **arguments: str) -> Any:
        return self.world.update(self.call, arguments)  # type: ignore[arg-type]

    def until(self, kind: str, times: int = 1, within: float = 120.0) -> Event:
        """Go on until the handler has been given this type so often; that event."""
        self.world.until(lambda: len(self.all(kind)) >= times, within=within)
        return self.all(kind)[times - 1]

    def end(self) -> Line:
        """Let the telephone hang up, and everything settle."""
        self.world.order("hang_up")
        self.world.until(lambda: bool(self.all("HANGUP")))
        self.world.go(1.0)
        return self

    # --- what was seen ---

    def all(self, kind: str) -> list[Event]:
        """This call's events of a type (`HANGUP`), or of a type and an action (`ACTION_FAILED Speak`)."""
        name, _, action = kind.partition(" ")
        found = [event for event in self.events if event["InvocationEventType"] == name]
        return [event for event in found if event["ActionData"]["Type"] == action] if action else found

    @property
    def events(self) -> list[Event]:
        """What the handler was given of this call."""
        return [event for event in self.world.events if event["CallDetails"]["TransactionId"] == self.call]

    @property
    def types(self) -> list[str]:
        return [event["InvocationEventType"] for event in self.events]

    @property
    def notes(self) -> list[str]:
        return [note.what for note in self.world.notes]


def raising(error: Exception) -> Callable[[Event], Any]:
    """A handler that throws."""

    def throw(event: Event) -> Any:
        raise error

    return throw
