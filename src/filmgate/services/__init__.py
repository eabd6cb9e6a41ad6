"""Use cases: they know the ports and nothing of what is behind them."""
