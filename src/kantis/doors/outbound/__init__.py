"""Tells the world what has happened: calls webhooks."""
