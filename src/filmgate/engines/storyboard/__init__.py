"""The storyboard engine: a paper theatre that films any prompt on a CPU."""
