"""The engine: from policy text to steps. Rooms import only downward; docs/architecture.md shows the floors."""
