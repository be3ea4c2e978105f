"""The back office: our own thin layer over Django's admin, in which every write goes through a service."""
