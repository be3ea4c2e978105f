"""Rows of forms: custom field definitions and their values."""
