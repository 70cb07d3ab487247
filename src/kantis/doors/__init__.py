"""Translates between the outside and the desk: command line, HTTP, web, files and shops."""
