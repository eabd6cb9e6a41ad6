"""The Veo3 task API: create a task, ask about it, be called back."""
