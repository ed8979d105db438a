"""Subscribers of one's own, from TOML: each step is a table of one key, the step's name, with its value or its fields."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

from ..errors import OutdialError
from . import steps
from .subscribers import Subscriber

NAMES: Mapping[str, type[steps.Step]] = {
    "wait": steps.Wait, "ring": steps.Ring, "early": steps.Early, "refuse": steps.Refuse, "redirect": steps.Redirect,
    "answer": steps.Answer, "say": steps.Say, "tone": steps.Tone, "hear": steps.Hear, "listen": steps.Listen, "press": steps.Press,
    "read": steps.Read, "echo": steps.Echo, "hang_up": steps.HangUp, "stay": steps.Stay, "again": steps.Again,
}  # fmt: skip
_TIMELESS = (steps.Early, steps.Answer, steps.Again)


class _Bad(ValueError):
    pass


def read_book(text: str, *, name: str = "subscribers") -> dict[str, Subscriber]:
    """Subscribers by number. Raises `OutdialError` (`subscribers`) for the first fault, with its place."""
    try:
        return {subscriber.number: subscriber for subscriber in _read(text)}
    except tomllib.TOMLDecodeError as error:
        problem = str(error)
    except _Bad as error:
        problem = str(error)
    raise OutdialError("subscribers", path=name, problem=problem)


def _read(text: str) -> Iterator[Subscriber]:
    book = tomllib.loads(text)
    entries = book.pop("subscriber", [])
    if book:
        raise _Bad(f'there is no table "{next(iter(book))}"; write [[subscriber]]')
    if not isinstance(entries, list):
        raise _Bad("subscribers are tables in a list; write [[subscriber]] with two brackets")
    for count, entry in enumerate(entries, 1):
        where = f"subscriber {count}"
        unknown = set(entry) - {"number", "note", "steps"}
        if unknown:
            raise _Bad(f'{where}: there is no key "{sorted(unknown)[0]}"; it has number, note and steps')
        number, listed = entry.get("number"), entry.get("steps")
        if not isinstance(number, str) or not number.startswith("+") or not number[1:].isdecimal():
            raise _Bad(f"{where}: number must be in E.164, for example +12065550150")
        if not isinstance(listed, list) or not listed:
            raise _Bad(f'{where}: steps must be a list, for example [{{ring = 1}}, {{answer = true}}, {{say = "Hello."}}]')
        script = tuple(_step(step, f"{where}, step {n}") for n, step in enumerate(listed, 1))
        check(script, where)
        yield Subscriber(number=number, note=str(entry.get("note", "")), steps=script)


def _step(entry: Any, where: str) -> steps.Step:
    if not isinstance(entry, dict) or len(entry) != 1:
        raise _Bad(f"{where}: a step is a table of one key, for example {{ring = 1.0}}")
    name, value = next(iter(entry.items()))
    kind = NAMES.get(name)
    if kind is None:
        close = difflib.get_close_matches(name, NAMES, n=1)
        raise _Bad(f'{where}: there is no step "{name}"' + (f"; did you mean {close[0]}?" if close else ""))
    fields = dataclasses.fields(kind)
    if isinstance(value, dict):
        given = value
    elif value is True:
        given = {}
    elif fields:
        given = {fields[0].name: value}
    else:
        raise _Bad(f"{where}: {name} takes no value; write {{{name} = true}}")
    hints = get_type_hints(kind)
    for key, one in given.items():
        if key not in hints:
            raise _Bad(f'{where}: {name} has no "{key}"; it has {", ".join(field.name for field in fields) or "nothing"}')
        if not _fits(one, hints[key]):
            raise _Bad(f"{where}: {name}: {key} cannot be {one!r}")
    needed = [field.name for field in fields if field.default is dataclasses.MISSING and field.name not in given]
    if needed:
        raise _Bad(f"{where}: {name} needs {needed[0]}")
    return kind(**given)


def _fits(value: Any, hint: Any) -> bool:
    text = str(hint)
    if isinstance(value, bool):
        return hint is bool
    if "Literal" in text:
        return repr(value) in text
    if isinstance(value, int | float):
        return value >= 0 and ("float" in text or (isinstance(value, int) and "int" in text))
    return isinstance(value, str) and hint is str


def check(script: tuple[steps.Step, ...], where: str) -> None:
    """What a script must have so that a call can end. Raises `_Bad` with a sentence."""
    answers = [n for n, step in enumerate(script) if isinstance(step, steps.Answer)]
    if len(answers) > 1:
        raise _Bad(f"{where}: a call is answered once")
    again = next((n for n, step in enumerate(script) if isinstance(step, steps.Again)), None)
    if again is not None:
        if not answers or answers[0] > again:
            raise _Bad(f"{where}: again goes back to the answer, so there must be one before it")
        if all(isinstance(step, _TIMELESS) or (isinstance(step, steps.Wait) and step.seconds <= 0) for step in script[answers[0] : again]):
            raise _Bad(f"{where}: something must take time between answer and again")
    if any(isinstance(step, steps.Refuse) and not 300 <= step.status <= 699 for step in script):
        raise _Bad(f"{where}: refuse needs a status from 300 to 699")
    spoken = (steps.Say, steps.Tone, steps.Press, steps.Read, steps.Hear, steps.Listen, steps.Echo)
    open_at = next((n for n, step in enumerate(script) if isinstance(step, steps.NEEDS_MEDIA)), len(script))
    early = next((step for step in script[:open_at] if isinstance(step, spoken)), None)
    if early is not None:
        raise _Bad(f"{where}: nothing can be played or heard before early or answer")
