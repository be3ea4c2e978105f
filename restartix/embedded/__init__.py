"""PostgreSQL and Valkey that come as packages: for the first run, for development and for tests."""
