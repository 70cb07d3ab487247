"""Web: what people see in a browser. Pages are made here, on the server."""
