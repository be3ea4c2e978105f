"""Reads of scheduling that assemble several rows."""
