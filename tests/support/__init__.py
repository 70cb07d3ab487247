"""What tests stand on: a real PostgreSQL, and whatever several of them share."""
