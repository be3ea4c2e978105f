"""The arithmetic of the ground floor, in plain Python."""
