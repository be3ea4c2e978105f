"""Tests that start and stop the real thing."""
