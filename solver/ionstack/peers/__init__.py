"""Other simulation codes on the reference problems, run in an environment of their own."""
