"""Appointments, and the time they are made of."""
