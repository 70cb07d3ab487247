"""The Python client, against a real service."""
