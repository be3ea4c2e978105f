"""The conventions of the API, each of them once: from the bytes of a request to the bytes of its answer.

How a resource is written: see `resources`. What an operation declares: see `operations`. In which order a request is
judged: see `calls`.
Source: contract/conventions.md.
"""
