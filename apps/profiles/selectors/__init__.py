"""Reads of profiles that assemble several rows."""
