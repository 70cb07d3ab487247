"""One file per section of a program; no feature imports another."""
