"""What is left: metrics, tables, run folders."""
