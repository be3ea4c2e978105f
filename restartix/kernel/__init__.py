"""What every domain stands on: tenancy, roles, refusals, crypto, the API layer. No tables, and no import of an app."""
