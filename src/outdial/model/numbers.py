"""Telephone numbers as text: shown masked, never bare, wherever a person or a log reads them."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\+?\d{7,15}")


def masked(number: str) -> str:
    """`+12065550150` as `+1206555****`."""
    return number[:-4] + "****" if len(number) > 6 else "****"


def mask_all(text: str) -> str:
    """Mask every telephone number in a text."""
    return _NUMBER.sub(lambda found: masked(found[0]), text)
