"""What if: many replications, closed-form answers, plausibility."""
