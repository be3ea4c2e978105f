"""Commands that run, migrate and examine the platform."""
