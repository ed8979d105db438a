"""The HTTP port's application: the AWS API bare, everything of our own behind its guard."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp

from ..model.ids import Ids, Wall
from .admin import make_admin
from .asgi import Receive, Scope, Send
from .context import ApiSettings, Means, Watcher
from .control import CallControl, Follow, Functions, Node
from .pages import Pages
from .resources import Resources
from .service import Service, malformed

OWN = ("/_outdial/", "/healthz", "/readyz", "/metrics", "/console")
"""Paths that are ours; no path of either service model begins with one of them."""


def make_malformed(ids: Ids) -> Callable[[str], tuple[int, list[tuple[bytes, bytes]], bytes]]:
    """What the HTTP port answers to something that is no HTTP request."""
    return lambda message: malformed(ids.uuid(), message)


def make_app(
    *,
    resources: Resources,
    control: CallControl,
    functions: Functions,
    follow: Follow,
    node: Node,
    ids: Ids,
    now: Callable[[], float],
    wall: Wall,
    settings: ApiSettings | None = None,
    watch: Watcher | None = None,
) -> ASGIApp:
    """The ASGI application of a node. `now` gives monotonic seconds, `wall` turns them into epoch milliseconds; `watch` is called after
    each answer of the AWS API, on the loop."""
    means = Means(
        resources=resources,
        control=control,
        functions=functions,
        ids=ids,
        now=now,
        wall=wall,
        settings=settings or ApiSettings(),
        pages=Pages(ids.hex(64).encode()),
        watch=watch or (lambda seen: None),
    )
    service = Service(means)
    own = make_admin(means, node, follow, service.authenticate)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(OWN):
            await service(scope, receive, send)
        else:
            await own(scope, receive, send)

    return app
