"""What may be made: the rules for prompts, the language, the images."""
