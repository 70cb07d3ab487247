"""Turns the files and messages of shops into events."""
