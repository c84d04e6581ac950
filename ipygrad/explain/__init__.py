"""What a step means: its local derivative, and words for people."""
