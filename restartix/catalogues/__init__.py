"""The Romanian and English catalogues: what has to be said, whether it is, and the compiled files that Django reads.

Written in plain Python, so that neither a developer's machine nor CI needs the gettext tools.
"""
