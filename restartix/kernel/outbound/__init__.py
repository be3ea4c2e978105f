"""Requests to addresses that customers name: they reach the public internet and nothing else.

A name is resolved once, every address it has is judged, and the connection goes to an address that was judged.
Source: contract/organizations.md 1.7; design: docs/explain/webhooks.md.
"""
