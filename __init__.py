"""Refund policies as versioned YAML, run by a generic state-machine engine."""
