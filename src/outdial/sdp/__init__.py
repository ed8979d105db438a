"""SDP (RFC 8866) and offer/answer (RFC 3264), sans-IO: parse, write, offer, answer, compare."""
