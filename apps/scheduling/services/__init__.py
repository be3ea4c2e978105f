"""Writes of scheduling: one module per aggregate, bare verbs, atomic."""
