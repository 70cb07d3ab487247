"""Connectors: what shops send, read into reports that the desk understands."""
