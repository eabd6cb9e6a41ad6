"""Wire formats: each dialect is a package of its own, and knows nothing of the others."""
