"""From positioned nodes to the records of a compiled policy, one module per part of the document."""
