"""`/_outdial/v1`: what the command line needs of a running node (docs/admin-api.md), and the node's health."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from ..context import Means
from ..control import Follow, Node
from . import calls, guard, health, state
from .reply import failure, not_here


def make_admin(means: Means, node: Node, follow: Follow, verify: guard.Verify) -> guard.Guard:
    """Everything on the HTTP port that is ours, behind its guard."""
    own = state.State(means, node)
    told = calls.Calls(means, follow)
    v1 = [
        Route("/status", own.status),
        Route("/config", own.config),
        Route("/functions", own.functions),
        Route("/functions/{name}", own.add_function, methods=["PUT"]),
        Route("/functions/{name}/reload", own.reload_function, methods=["POST"]),
        Route("/keys", own.keys),
        Route("/keys", own.create_key, methods=["POST"]),
        Route("/keys/{key}", own.delete_key, methods=["DELETE"]),
        Route("/numbers", own.numbers),
        Route("/numbers", own.add_number, methods=["POST"]),
        Route("/numbers/{number}", own.remove_number, methods=["DELETE"]),
        Route("/applications", own.applications),
        Route("/calls", told.list_all),
        Route("/calls/{call}", told.show),
        Route("/calls/{call}/follow", told.follow),
        Route("/shutdown", own.shut_down, methods=["POST"]),
    ]
    seen = health.Health(node)
    open_to_all = [Route("/healthz", seen.alive), Route("/readyz", seen.ready), Route("/metrics", seen.metrics)]
    handlers = {404: not_here, 405: not_here, 500: _broken}
    app = Starlette(routes=[*open_to_all, Mount("/_outdial/v1", routes=v1)], exception_handlers=handlers)
    return guard.Guard(app, means.settings.loopback, verify)


async def _broken(request: Request, error: Exception) -> Response:
    return failure(500, "An error of this node; its log says more.")
