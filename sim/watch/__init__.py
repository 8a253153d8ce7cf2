"""What can be seen: layers of watch, and coverage in closed form."""
