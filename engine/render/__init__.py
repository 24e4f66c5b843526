"""Reports for people and programs: findings, timelines and results, as text and as JSON.

Everything here is a pure function from records to text. It prints nothing, reads no file and asks no terminal: whether
there is colour, and how wide a page is, is an argument.
"""
