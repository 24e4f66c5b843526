"""The expression language: the syntax and meaning of CEL in a typed profile."""
