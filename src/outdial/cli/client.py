"""Talking to a node that runs: found by its data folder, asked over HTTP with nothing but the standard library."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote, urlsplit

from .. import __version__
from ..errors import OutdialError
from ..io.ids import LiveIds

DEVELOPMENT = ("outdial", "outdial")
"""The key that works on loopback only."""
TIMEOUT_S = 10.0
PAUSES_S = (0.2, 0.4, 0.8, 1.6)
"""Between tries while the node says that it cannot just now."""
_MENDS = {
    403: "`outdial config check` shows allow_countries and allow_prefixes; emergency numbers are never called.",
    404: "`outdial number ls`, `outdial app ls` and `outdial calls ls` show what there is.",
    429: "Wait a moment and try again.",
    503: "Nothing was done: try again in a moment. `outdial doctor` looks for a cause.",
}


def folder_of(data: Path | None) -> Path:
    """The data folder that is meant: what was given, else OUTDIAL_DATA, else ./outdial-data."""
    return data or Path(os.environ.get("OUTDIAL_DATA") or "outdial-data")


def find(data: Path | None) -> Node:
    """The node that runs on a data folder. Raises `OutdialError` where none does."""
    from ..store.folder import Layout

    folder = folder_of(data)
    facts = Layout(folder).running()
    if facts is None or not isinstance(facts.get("http"), str):
        raise OutdialError("no_node", folder=folder)
    return Node(facts["http"], folder, int(facts.get("pid", 0)))


def running(data: Path | None) -> Node | None:
    """The node that runs on a data folder, or None."""
    try:
        return find(data)
    except OutdialError:
        return None


class Node:
    """One node's HTTP port."""

    def __init__(self, address: str, folder: Path, pid: int = 0) -> None:
        self.address = address if "://" in address else f"http://{address}"
        self.folder = folder
        self.pid = pid
        self._netloc = urlsplit(self.address).netloc

    def get(self, path: str) -> Any:
        """JSON at a path under `/_outdial/v1`."""
        return self.ask("GET", f"/_outdial/v1{path}")

    def post(self, path: str, body: Any = None) -> Any:
        return self.ask("POST", f"/_outdial/v1{path}", body or {})

    def put(self, path: str, body: Any) -> Any:
        return self.ask("PUT", f"/_outdial/v1{path}", body)

    def delete(self, path: str) -> Any:
        return self.ask("DELETE", f"/_outdial/v1{path}")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One signed request; the answer's JSON (None where it is empty). Raises `OutdialError` (`refused`, `node_silent`).

        A 503 says that nothing was done: it is asked again for a moment, as the AWS SDKs do, with the same invocation id.
        """
        invocation = LiveIds().uuid()
        for pause in PAUSES_S:
            connection, response = self._send(method, path, body, invocation=invocation)
            if response.status != 503:
                break
            connection.close()
            Event().wait(pause)
        else:
            connection, response = self._send(method, path, body, invocation=invocation)
        try:
            return self._read(response)
        except (OSError, http.client.HTTPException) as error:
            raise self._silent(error) from None
        finally:
            connection.close()

    def lines(self, path: str) -> Iterator[bytes]:
        """Lines of a stream under `/_outdial/v1` as they come, until it ends."""
        connection, response = self._send("GET", f"/_outdial/v1{path}", None, timeout=60.0)
        try:
            if response.status != 200:
                self._read(response)
            while line := response.readline():
                if line.strip():
                    yield line
        except (OSError, http.client.HTTPException) as error:
            raise self._silent(error) from None
        finally:
            connection.close()

    def _send(
        self, method: str, path: str, body: Any, timeout: float | None = None, invocation: str = ""
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        from ..api.sigv4 import sign
        from ..io.clock import Wall, now

        raw = b"" if body is None else json.dumps(body).encode()
        key, secret = self._key()
        where, _, query = path.partition("?")
        headers = sign(method=method, path=where, query=query, host=self._netloc, body=raw, key=key, secret=secret, at=Wall()(now()) / 1000)
        if invocation:
            headers["amz-sdk-invocation-id"] = invocation
        headers["User-Agent"] = f"outdial-cli/{__version__}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection(self._netloc, timeout=timeout or TIMEOUT_S)
        try:
            connection.request(method, path, raw if body is not None else None, headers)
            return connection, connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise self._silent(error) from None

    def _key(self) -> tuple[str, str]:
        """A key of the folder where there is one, else the development key."""
        try:
            keys = json.loads((self.folder / "keys.json").read_bytes())
            return next(iter(keys.items()), DEVELOPMENT)
        except (OSError, ValueError, AttributeError):
            return DEVELOPMENT

    def _silent(self, error: Exception) -> OutdialError:
        problem = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return OutdialError("node_silent", address=self.address, problem=problem, pid=self.pid)

    def _read(self, response: http.client.HTTPResponse) -> Any:
        raw = response.read()
        try:
            value = json.loads(raw) if raw else None
        except ValueError:
            value = {"message": raw[:200].decode("utf-8", "replace")}
        if response.status < 300:
            return value
        found = value if isinstance(value, dict) else {}
        message = str(found.get("message") or found.get("Message") or response.reason).rstrip(".")
        kind = response.headers.get("x-amzn-ErrorType") or found.get("Code") or response.reason
        mend = found.get("hint") or _MENDS.get(response.status) or "The message says what to change."
        raise OutdialError(
            "refused", message=message, status=response.status, error=str(kind).partition(":")[0], mend=f"{mend.rstrip('.')}."
        )


def path_part(text: str) -> str:
    """A name as one segment of a path."""
    return quote(text, safe="")
