"""A small shop whose refunds are run by amends: README.md tells how to start it, and what to copy."""
