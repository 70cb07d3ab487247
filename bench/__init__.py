"""Speed, measured beside the machine's own limits in the same run: ``python -m bench``."""
