"""Who: contingents, and what their soldiers are put to."""
