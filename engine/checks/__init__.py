"""What is wrong with a policy that can be read: one module per part of the document."""
