"""Cases as files: what their sections may say, what is checked before anything is computed."""
