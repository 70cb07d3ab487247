"""The HTTP door: ``/v1`` for tills, shops and partners."""
