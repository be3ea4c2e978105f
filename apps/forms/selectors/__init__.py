"""Reads of forms that assemble several models."""
