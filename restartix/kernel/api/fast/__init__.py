"""The quick way to write a list: compiled once from the same declarations, and equal to the ordinary way.

Two things cost nearly all the time of an ordinary list: making model instances and walking serializers over them, and
writing the SQL anew for every request. `rows` compiles the declared serializer to columns and one function over tuples;
`statements` keeps the SQL of a list by what shapes it, and runs it again with other values. What cannot be compiled
goes the ordinary way (`lists`), by itself; tests compare both on everything.
Figures: docs/benchmarks.md.
"""
