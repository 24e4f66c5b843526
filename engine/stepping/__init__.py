"""How one step goes: taken in, chosen, moved, paid for, looked ahead from, and sealed. `decide` leads through it."""
