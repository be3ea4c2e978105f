"""Clinics, the people who work in them, the doors to them, and the record of what happened there."""
