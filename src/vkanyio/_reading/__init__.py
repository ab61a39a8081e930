"""Reading a lot."""
