"""The product's table of contents: one domain each."""
