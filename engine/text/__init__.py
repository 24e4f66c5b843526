"""What reading a document stands on: nodes with their places, and what is said of text and shapes that are wrong."""
