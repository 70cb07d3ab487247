"""The waist: one pure function decides, and its order says who acts on which event."""
