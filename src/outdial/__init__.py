"""Outdial: self-hosted programmable voice, wire-compatible with Amazon Chime SDK PSTN audio."""

__version__ = "0.1.0"
