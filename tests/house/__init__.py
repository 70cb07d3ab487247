"""The house rules. Each has a twin: a snippet that breaks it and must be caught."""
