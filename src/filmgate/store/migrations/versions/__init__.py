"""One module per revision; once released, a revision is never changed."""
