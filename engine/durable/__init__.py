"""What is done to kept cases in one transaction, over any store: opened, sent to, fired, delivered for, listed."""
