"""The life of a policy: its versions and their lock, its bundle, where its values come from, and how open cases change over."""
