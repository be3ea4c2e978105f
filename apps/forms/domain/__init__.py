"""The rules of forms in plain Python."""
