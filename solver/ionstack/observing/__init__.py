"""What looks at accepted states and writes files; it changes nothing."""
