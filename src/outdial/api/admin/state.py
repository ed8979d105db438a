"""The node's state and resources: status, configuration, functions, keys, numbers, applications, shutting down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ... import __version__
from ...model.ids import FunctionName, KeyId
from ...model.invocations import FunctionState
from ...model.resources import KeyRow, Position, StoreRefused
from ..context import Means
from ..control import Node
from ..inventory import from_id, make_number
from ..keys import make_key
from ..operations.numbers import gone
from .reply import answer, failure, fields

Endpoint = Callable[["State", Request], Awaitable[Response]]
PAGE = 1000


def judged(endpoint: Endpoint) -> Endpoint:
    """Turn what is wrong with the input, or with the database, into an answer."""

    @wraps(endpoint)
    async def inside(self: State, request: Request) -> Response:
        try:
            return await endpoint(self, request)
        except StoreRefused as error:
            return failure(503, str(error), "Nothing was changed: try again")
        except ValueError as error:
            return failure(400, str(error))

    return inside


def _everything(read: Callable[[Position | None, int], Any]) -> list[Any]:
    rows: list[Any] = []
    while True:
        page = read(rows[-1].position if rows else None, PAGE)
        rows += page
        if len(page) < PAGE:
            return rows


class State:
    def __init__(self, means: Means, node: Node) -> None:
        self._means = means
        self._node = node

    def _at(self) -> int:
        return self._means.wall(self._means.now())

    async def status(self, request: Request) -> Response:
        return answer({**self._node.status(), "version": __version__, "ready": self._node.ready()})

    async def config(self, request: Request) -> Response:
        return answer(dict(self._node.config()))

    def _function(self, state: FunctionState) -> dict[str, Any]:
        spec = self._means.functions.spec(state.function)
        return {"name": state.function, "state": state.state, "detail": state.detail, "spec": spec}

    async def functions(self, request: Request) -> Response:
        return answer({"functions": [self._function(state) for state in self._means.functions.list()]})

    @judged
    async def add_function(self, request: Request) -> Response:
        given = await fields(request, spec=str)
        if "spec" not in given:
            return failure(400, "spec is missing", 'For example {"spec": "python:reminder.py:handler"}')
        return answer(self._function(await self._means.functions.add(FunctionName(request.path_params["name"]), given["spec"])))

    @judged
    async def reload_function(self, request: Request) -> Response:
        name = FunctionName(request.path_params["name"])
        try:
            return answer(self._function(await self._means.functions.reload(name)))
        except KeyError:
            return failure(404, f"No function is called {name[:60]}", "outdial function ls shows those that are")

    async def keys(self, request: Request) -> Response:
        return answer({"keys": [_without_secret(row) for row in self._means.resources.keys.list()]})

    @judged
    async def create_key(self, request: Request) -> Response:
        given = await fields(request, label=str)
        row = make_key(self._means.ids, self._means.settings.account, given.get("label", ""), self._at())
        await self._means.resources.keys.create(row)
        return answer({**_without_secret(row), "secret": row.secret}, 201)

    @judged
    async def delete_key(self, request: Request) -> Response:
        if await self._means.resources.keys.delete(KeyId(request.path_params["key"])):
            return Response(status_code=204)
        return failure(404, "There is no such key", "outdial key ls shows those that are")

    async def numbers(self, request: Request) -> Response:
        at = self._at()
        return answer({"numbers": [row for row in _everything(self._means.resources.numbers.list) if not gone(row, at)]})

    @judged
    async def add_number(self, request: Request) -> Response:
        given = await fields(request, number=str, product_type=str, name=str)
        product = given.get("product_type", "SipMediaApplicationDialIn")
        row = make_number(given.get("number", ""), product, given.get("name", ""), self._at())
        async with self._means.writing:
            owned = self._means.resources.numbers.get(row.e164)
            if owned is not None and owned.deleted_at is None:
                return failure(409, "The number is in the inventory already")
            await self._means.resources.numbers.put(row)
        return answer(row, 201)

    @judged
    async def remove_number(self, request: Request) -> Response:
        if await self._means.resources.numbers.delete(from_id(request.path_params["number"])):
            return Response(status_code=204)
        return failure(404, "The inventory has no such number", "outdial number ls shows those that are")

    async def applications(self, request: Request) -> Response:
        lines = []
        for row in _everything(self._means.resources.applications.list):
            name = self._means.functions.name_for(row.lambda_arn)
            state = self._means.functions.state(name)
            lines.append({**msgspec.to_builtins(row), "function": name, "state": state.state, "detail": state.detail})
        return answer({"applications": lines})

    @judged
    async def shut_down(self, request: Request) -> Response:
        given = await fields(request, within=int | float)
        within = given.get("within", 20)
        if not 0 <= within <= 24 * 3600:
            return failure(400, "within: expected 0 to 86400 seconds")
        self._node.shut_down(float(within))
        return answer({"draining": within}, 202)


def _without_secret(row: KeyRow) -> dict[str, Any]:
    return {"id": row.id, "account": row.account, "label": row.label, "active": row.active, "created_at": row.created_at}
