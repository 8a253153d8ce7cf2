"""What happens by the minute: the only home of numba."""
