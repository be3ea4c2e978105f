"""Writes of the ground floor: one module per aggregate, bare verbs, atomic."""
