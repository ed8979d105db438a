"""The media engine: RTP streams that play, record, collect digits (DESIGN 4). `engine.Engine` is its core."""
