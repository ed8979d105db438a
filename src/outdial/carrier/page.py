"""The subscribers as a table of the documentation."""

from __future__ import annotations

from itertools import groupby

from .subscribers import SUBSCRIBERS


def subscribers_table() -> str:
    """Number and note of each; numbers that do the same stand together."""
    out = ["| number | what it does |", "|---|---|"]
    for note, group in groupby(SUBSCRIBERS.values(), key=lambda subscriber: subscriber.note):
        numbers = [subscriber.number for subscriber in group]
        shown = f"`{numbers[0]}`" if len(numbers) == 1 else f"`{numbers[0]}` to `{numbers[-1]}`"
        out.append(f"| {shown} | {note} |")
    return "\n".join([*out, ""])
