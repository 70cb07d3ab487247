"""Measures: what a program does, in figures that are counted from its books."""
