"""Writes of profiles: one module per aggregate, bare verbs, atomic."""
