"""How a value becomes a row and a row a value again: plain fields as they are, all others as JSON text."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from sqlalchemy import Column, Table

R = TypeVar("R", bound=msgspec.Struct)
_PLAIN = {str, int, float, bytes, bool, type(None)}
_encode = msgspec.json.Encoder().encode


def as_json(value: Any) -> str:
    """The JSON text of any value of `model`. Bytes that a peer sent and that are no UTF-8 are in our texts as lone surrogates (PEP 383);
    they are kept, as escapes."""
    try:
        return _encode(value).decode()
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value))


def _from_json(decoder: msgspec.json.Decoder[Any], text: str) -> Any:
    try:
        return decoder.decode(text)
    except msgspec.DecodeError:  # msgspec refuses the escapes of lone surrogates
        return msgspec.convert(json.loads(text), decoder.type)


def kept(cell: Any) -> Any:
    """A text with lone surrogates as the bytes that it came from (those that came from no byte are replaced): a database takes no other."""
    if not isinstance(cell, str):
        return cell
    try:
        return cell.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return cell.encode("utf-8", "replace")


def _plain(hint: Any) -> bool:
    hint = getattr(hint, "__supertype__", hint)
    origin = get_origin(hint)
    if origin is Literal:
        return True
    if origin in (Union, types.UnionType):
        return all(_plain(part) for part in get_args(hint))
    return hint in _PLAIN


class Mapping(Generic[R]):
    """The fields of one record and the columns of the same names."""

    def __init__(self, record: type[R], table: Table) -> None:
        fields = msgspec.structs.fields(record)
        self.type = record
        self.table = table
        self.names = tuple(field.name for field in fields)
        self._get: Callable[[Any], tuple[Any, ...]] = attrgetter(*self.names)
        self._json = [(i, msgspec.json.Decoder(field.type)) for i, field in enumerate(fields) if not _plain(field.type)]
        self._texts = [i for i, field in enumerate(fields) if getattr(field.type, "__supertype__", field.type) is str]
        self._bools = [i for i, field in enumerate(fields) if field.type is bool]

    @property
    def columns(self) -> list[Column[Any]]:
        """The columns in the order that `values` and `record` use."""
        return [self.table.c[name] for name in self.names]

    def values(self, record: R) -> Sequence[Any]:
        """What is bound, in the order of `names`."""
        got = self._get(record)
        if not self._json:
            return got
        row = list(got)
        for i, _ in self._json:
            row[i] = as_json(row[i])
        return row

    def record(self, row: Sequence[Any]) -> R:
        """The value of a row whose columns are `columns`."""
        cells = list(row)
        for i, decoder in self._json:
            cells[i] = _from_json(decoder, cells[i])
        for i in self._texts:
            if isinstance(cells[i], bytes):
                cells[i] = cells[i].decode("utf-8", "surrogateescape")
        for i in self._bools:
            cells[i] = bool(cells[i])
        return self.type(**dict(zip(self.names, cells, strict=True)))


@lru_cache
def _decoder(record: type[msgspec.Struct], field: str) -> msgspec.json.Decoder[Any]:
    (hint,) = (found.type for found in msgspec.structs.fields(record) if found.name == field)
    return msgspec.json.Decoder(hint)


def from_json(record: type[msgspec.Struct], field: str, text: str) -> Any:
    """The value of one field of a record that stands as JSON text."""
    return _from_json(_decoder(record, field), text)
