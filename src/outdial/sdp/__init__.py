"""SDP (RFC 8866) and offer/answer (RFC 3264), sans-IO: parse, write, offer, answer, compare."""

from .description import Description, Line, Media, Origin, parse, write
from .errors import SdpError
from .negotiated import Negotiated
from .offer_answer import judge_answer, make_answer, make_offer, same_media

__all__ = [
    "Description",
    "Line",
    "Media",
    "Negotiated",
    "Origin",
    "SdpError",
    "judge_answer",
    "make_answer",
    "make_offer",
    "parse",
    "same_media",
    "write",
]
