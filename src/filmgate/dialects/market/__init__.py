"""The market's task API: one address for every model, and one for every task."""
