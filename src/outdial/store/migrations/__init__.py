"""Alembic's steps from each released schema to the next; a test holds their sum against `schema`."""
