"""The service as callers see it: a process of its own, over HTTP."""
