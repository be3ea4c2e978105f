"""Reads of the ground floor that assemble several rows."""
