"""What happens by the month: the only home of SimPy."""
