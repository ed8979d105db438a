"""Which operation a request means: method, raw path and fixed query (reference/api 2.8).

The raw path is split on `/` before anything is decoded, so that `%2F` in a label stays data; nothing is stripped, so that
`GET /sip-rules/` is a rule with an empty id and never the list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

Query = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation's place."""

    operation: str
    method: str
    path: tuple[str | None, ...]
    """Segments; None where a label stands."""
    labels: tuple[str, ...]
    fixed: Mapping[str, str]
    """Query parameters that are part of the route."""


def route(operation: str, method: str, uri: str) -> Route:
    """Read a URI template of the service model; `{name}` is a label, a query behind it is fixed."""
    path, _, query = uri.partition("?")
    segments = path.split("/")[1:]
    return Route(
        operation=operation,
        method=method,
        path=tuple(None if s.startswith("{") else s for s in segments),
        labels=tuple(s[1:-1] for s in segments if s.startswith("{")),
        fixed=dict(pair.split("=", 1) for pair in query.split("&") if pair),
    )


class Router:
    """Finds the route of a request; literal segments win over labels."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_size: dict[tuple[str, int], dict[tuple[str | None, ...], list[Route]]] = {}
        for one in routes:
            self._by_size.setdefault((one.method, len(one.path)), {}).setdefault(one.path, []).append(one)
        for group in self._by_size.values():
            ordered = sorted(group.items(), key=lambda item: [segment is None for segment in item[0]])
            group.clear()
            group.update(ordered)

    def find(self, method: str, raw_path: str, query: Query) -> tuple[Route, tuple[str, ...]] | None:
        """The route and the raw labels, or None where no operation is meant."""
        segments = raw_path.split("/")[1:]
        for path, routes in self._by_size.get((method, len(segments)), {}).items():
            labels: list[str] = []
            for wanted, segment in zip(path, segments, strict=True):
                if wanted is None:
                    labels.append(segment)
                elif wanted != segment:
                    break
            else:
                found = _by_query(routes, query)
                return None if found is None else (found, tuple(labels))
        return None


def _by_query(routes: list[Route], query: Query) -> Route | None:
    """Among routes of one path: the one whose fixed query is given. An unknown value of a discriminator is no operation at all."""
    names = {name for one in routes for name in one.fixed}
    if not names:
        return routes[0]
    given = {name: value for name, value in query if name in names}
    return next((one for one in routes if one.fixed == given), None)


def split_query(raw: str) -> Query:
    """Names and values, decoded leniently: for routing. What is taken as input is decoded strictly later."""
    if not raw:
        return []
    return [(unquote(name), unquote(value)) for name, _, value in (pair.partition("=") for pair in raw.split("&")) if name]
