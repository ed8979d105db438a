"""RTP, RTCP and telephone events (RFC 3550, 3551, 4733): bytes and numbers, no sockets and no clock."""
