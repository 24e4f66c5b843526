"""What rules are made of: conditions, cells of tables, and the parts of moments."""
