"""Where, what and how steady: explanations of any callable, with the proof of their completeness."""
