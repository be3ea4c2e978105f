"""Rows for tests, made by the services that make them in life; one module an app."""
