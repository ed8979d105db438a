"""`/healthz`, `/readyz`, `/metrics`: for whoever watches the node; they need no signature and tell no numbers."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..control import Node
from .reply import answer


class Health:
    def __init__(self, node: Node) -> None:
        self._node = node

    async def alive(self, request: Request) -> Response:
        """200 as long as the node answers at all."""
        return answer({"status": "ok"})

    async def ready(self, request: Request) -> Response:
        """200 while calls are taken, else 503 with the reason."""
        why_not = self._node.ready()
        return answer({"status": "ready"}) if why_not is None else answer({"status": "not ready", "message": why_not}, 503)

    async def metrics(self, request: Request) -> Response:
        return Response(self._node.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")
