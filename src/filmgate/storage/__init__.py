"""Where finished films lie, and the signed links that lead to them."""
