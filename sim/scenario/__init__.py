"""What is asked: a scenario as written, as checked, as resolved."""
