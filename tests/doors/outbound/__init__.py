"""What is told to the world, and to nobody inside of it."""
