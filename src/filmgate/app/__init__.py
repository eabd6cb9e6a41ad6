"""The composition root: settings -> parts -> processes. The only floor that knows everything below it."""
