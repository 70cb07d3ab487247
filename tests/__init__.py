"""Kantis under test: cases, properties, crashes, house rules."""
