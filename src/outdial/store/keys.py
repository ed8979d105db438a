"""Access keys. Their secrets stand apart from the database, in a file that only its owner can read."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Protocol

import msgspec

from ..model.ids import KeyId
from ..model.resources import KeyRow
from . import schema
from .mapping import Mapping
from .shelf import Commit
from .statements import deletes, replaces


class KeyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its secret."""

    id: KeyId
    account: str
    label: str
    active: bool
    created_at: int


class KeyGone(msgspec.Struct, frozen=True, kw_only=True):
    id: KeyId


KEY = Mapping(KeyFacts, schema.keys)
WRITES = (replaces(KEY, appends=False), deletes(KeyGone, schema.keys, "id"))


class Secrets(Protocol):
    """Where the secrets are kept."""

    def load(self) -> dict[KeyId, str]: ...
    async def store(self, secrets: dict[KeyId, str]) -> None: ...


class SecretsInMemory:
    """For virtual time and tests."""

    def __init__(self) -> None:
        self._secrets: dict[KeyId, str] = {}

    def load(self) -> dict[KeyId, str]:
        """All of them."""
        return dict(self._secrets)

    async def store(self, secrets: dict[KeyId, str]) -> None:
        """These and no others."""
        self._secrets = dict(secrets)


class SecretsFile:
    """A JSON object, id to secret, mode 600, replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> dict[KeyId, str]:
        """All of them; none where there is no file. Raises `ValueError` for a file that is not ours."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            return msgspec.json.decode(data, type=dict[KeyId, str])
        except msgspec.DecodeError as error:
            raise ValueError(f"{self._path}: {error}; expected a JSON object of key ids and secrets") from error

    async def store(self, secrets: dict[KeyId, str]) -> None:
        """These and no others, on the disk before it returns."""
        await asyncio.to_thread(self._write, secrets)

    def _write(self, secrets: dict[KeyId, str]) -> None:
        beside = self._path.with_name(self._path.name + ".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(msgspec.json.format(msgspec.json.encode(secrets)))
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self._path)


class Keys:
    """All keys, in memory and on record."""

    def __init__(self, rows: list[KeyFacts], commit: Commit, secrets: Secrets) -> None:
        self._commit = commit
        self._store = secrets
        self._secrets = secrets.load()
        self._rows = {row.id: self._whole(row) for row in rows if row.id in self._secrets}

    def _whole(self, row: KeyFacts) -> KeyRow:
        return KeyRow(
            id=row.id, secret=self._secrets[row.id], account=row.account, label=row.label, active=row.active, created_at=row.created_at
        )

    def get(self, key: KeyId, /) -> KeyRow | None:
        """The key of that id, or None."""
        return self._rows.get(key)

    def secret(self, key: KeyId, /) -> str | None:
        """The secret of an active key."""
        row = self._rows.get(key)
        return row.secret if row is not None and row.active else None

    def list(self) -> list[KeyRow]:
        """All of them, oldest first."""
        return sorted(self._rows.values(), key=lambda row: (row.created_at, row.id))

    async def create(self, row: KeyRow) -> None:
        """The secret first: a key without one is no key, a secret without a key is forgotten with the next change."""
        await self._store.store({id: self._secrets[id] for id in self._rows} | {row.id: row.secret})

        def keep() -> None:
            self._secrets[row.id] = row.secret
            self._rows[row.id] = row

        facts = KeyFacts(id=row.id, account=row.account, label=row.label, active=row.active, created_at=row.created_at)
        await self._commit((facts,), keep)

    async def delete(self, key: KeyId, /) -> bool:
        """False where there was none."""
        if key not in self._rows:
            return False

        def drop() -> None:
            self._rows.pop(key, None)
            self._secrets.pop(key, None)

        await self._commit((KeyGone(id=key),), drop)
        await self._store.store({id: self._secrets[id] for id in self._rows})
        return True
