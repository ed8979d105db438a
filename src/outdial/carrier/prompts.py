"""Prompts that subscribers speak: each is asked for once, whoever waits for it, and kept for good."""

from __future__ import annotations

from collections import deque
from typing import Any

from ..model.ids import CallId, Ids, LegId, Token
from ..model.work import ObjectSource, Prompt, PromptReady, SpeechSource, WorkFailed

Source = ObjectSource | SpeechSource


class Prompts:
    """What is prepared, what is being prepared, and who waits for it."""

    def __init__(self, ids: Ids, out: deque[Any]) -> None:
        self._ids = ids
        self._out = out
        self._ready: dict[Source, PromptReady] = {}
        self._asked: dict[Source, set[LegId]] = {}
        self._tokens: dict[Token, Source] = {}

    def get(self, source: Source) -> PromptReady | None:
        """The prepared prompt, or None."""
        return self._ready.get(source)

    def ask(self, source: Source, session: LegId) -> None:
        """Have it made; the session is told when it is."""
        if source in self._ready:
            return
        if source in self._asked:
            self._asked[source].add(session)
            return
        token = Token(self._ids.number())
        self._asked[source] = {session}
        self._tokens[token] = source
        self._out.append(Prompt(token=token, source=source, call=CallId(session)))

    def done(self, result: PromptReady | WorkFailed) -> tuple[Source, PromptReady | None, set[LegId]] | None:
        """Take a result: which prompt it is, the file (None: it failed) and who waits. None for a token that is not ours."""
        source = self._tokens.pop(result.token, None)
        if source is None:
            return None
        waiting = self._asked.pop(source, set())
        if isinstance(result, PromptReady):
            self._ready[source] = result
            return source, result, waiting
        return source, None, waiting
