"""The tables: one for each type of record, so that all writing is appending (which goes many rows at a time).

Times are epoch milliseconds; columns bear the names of the record's fields; values that are not plain stand as JSON text.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.schema import CreateIndex, CreateTable

metadata = MetaData()

_Id = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts by itself only in a column of exactly this type."""


def _text(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=null)


def _number(name: str, *, key: bool = False, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, nullable=null, autoincrement=False)


def _bytes(name: str, *, null: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=null)


def _yes(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


calls = Table(
    "calls",
    metadata,
    _text("call", key=True),
    _text("application"),
    _text("function"),
    _text("account"),
    _text("region"),
    _text("key"),
    _text("direction"),
    _text("from_"),
    _text("to"),
    _number("started_at"),
    Index("calls_started", "started_at"),
)

call_ends = Table(
    "call_ends",
    metadata,
    _text("call", key=True),
    _number("ended_at"),
    _text("termination"),
    _text("reason"),
)
"""`reason` is the termination's, so that it can be asked for."""

attributes = Table("attributes", metadata, _text("call", key=True), _bytes("attributes"))

legs = Table(
    "legs",
    metadata,
    _text("leg", key=True),
    _text("call"),
    _text("participant"),
    _text("trunk"),
    Index("legs_call", "call"),
)

leg_invites = Table(
    "leg_invites",
    metadata,
    _text("leg", key=True),
    _bytes("invite"),
    _text("transport"),
    _text("source"),
    _text("destination"),
    _bytes("offer"),
)

leg_dialogs = Table(
    "leg_dialogs",
    metadata,
    _text("leg", key=True),
    _number("answered_at"),
    _text("remote_tag"),
    _text("remote_target"),
    _text("routes"),
    _bytes("answer"),
)

leg_ends = Table("leg_ends", metadata, _text("leg", key=True), _number("ended_at"), _text("termination"))

events = Table(
    "events",
    metadata,
    _text("call", key=True),
    _number("number", key=True),
    _text("leg"),
    _text("event"),
    _text("participants"),
    _number("at"),
    _yes("actions_ignored"),
)

invocations = Table(
    "invocations",
    metadata,
    _text("call", key=True),
    _number("sequence", key=True),
    _number("number"),
    _text("function"),
    _bytes("request"),
    _number("given_at"),
)

invocation_ends = Table(
    "invocation_ends",
    metadata,
    _text("call", key=True),
    _number("sequence", key=True),
    _text("outcome"),
    _bytes("reply"),
    _text("error"),
    _number("attempts"),
    _number("done_at"),
)

recordings = Table(
    "recordings",
    metadata,
    _text("recording", key=True),
    _text("call"),
    _text("leg"),
    _text("path"),
    _text("bucket"),
    _text("key"),
    _number("started_at"),
    _yes("finished"),
    _number("samples"),
    _yes("delivered"),
    _number("tries"),
    _text("error"),
    Index("recordings_call", "call"),
    Index("recordings_delivered", "delivered"),
)

cdrs = Table(
    "cdrs",
    metadata,
    _text("call", key=True),
    _text("application"),
    _text("account"),
    _text("region"),
    _text("from_"),
    _text("to"),
    _text("direction"),
    _text("leg"),
    _number("started_at"),
    _number("answered_at", null=True),
    _number("ended_at"),
    _number("billable_seconds"),
    _text("termination"),
    _number("invocations"),
    _number("packets_sent"),
    _number("packets_received"),
    _number("lost"),
    Column("jitter_ms", Float, nullable=False),
    Index("cdrs_ended", "ended_at"),
)

sip_messages = Table(
    "sip_messages",
    metadata,
    Column("id", _Id, primary_key=True),
    _text("call"),
    _text("leg"),
    _number("at"),
    _text("way"),
    _text("transport"),
    _text("source"),
    _text("destination"),
    _bytes("message"),
    Index("sip_messages_call", "call"),
)

outputs = Table(
    "outputs",
    metadata,
    Column("id", _Id, primary_key=True),
    _text("call"),
    _number("sequence"),
    _text("stream"),
    _text("text"),
    _number("at"),
    Index("outputs_call", "call"),
)

notes = Table(
    "notes",
    metadata,
    Column("id", _Id, primary_key=True),
    _text("call"),
    _number("at"),
    _text("level"),
    _text("what"),
    Index("notes_call", "call"),
)

repeats = Table(
    "repeats",
    metadata,
    _text("key", key=True),
    _text("operation", key=True),
    _text("path", key=True),
    _text("body_hash", key=True),
    _text("invocation", key=True),
    _number("status"),
    _bytes("body"),
    _number("made_at"),
    Index("repeats_made", "made_at"),
)

applications = Table(
    "applications",
    metadata,
    _text("id", key=True),
    _text("name"),
    _text("region"),
    _text("account"),
    _text("lambda_arn"),
    _text("tags"),
    _number("created_at"),
    _number("updated_at"),
)

numbers = Table(
    "numbers",
    metadata,
    _text("e164", key=True),
    _text("product_type"),
    _text("type"),
    _text("country"),
    _text("order"),
    _text("name"),
    _text("calling_name"),
    _number("created_at"),
    _number("updated_at"),
    _number("deleted_at", null=True),
)

orders = Table(
    "orders",
    metadata,
    _text("id", key=True),
    _text("product_type"),
    _text("numbers"),
    _number("created_at"),
    _number("updated_at"),
)

keys = Table(
    "keys",
    metadata,
    _text("id", key=True),
    _text("account"),
    _text("label"),
    _yes("active"),
    _number("created_at"),
)
"""Without the secrets: those stand in a file of their own, so that a copy of the database gives none away."""

node = Table("node", metadata, _text("name", key=True), _number("value"))
"""Facts about the node itself: `sequence_base`, and `probe`, which is written to see whether the database takes commits again."""


def ddl(dialect: object) -> list[str]:
    """The statements that make all tables and indexes in an empty database, in order."""
    lines = []
    for table in metadata.sorted_tables:
        lines.append(str(CreateTable(table).compile(dialect=dialect)).strip())  # type: ignore[arg-type]
        lines += [str(CreateIndex(index).compile(dialect=dialect)) for index in sorted(table.indexes, key=lambda i: str(i.name))]  # type: ignore[arg-type]
    return lines
