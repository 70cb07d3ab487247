"""Segments: members who have something in common, by rules over what the books know."""
