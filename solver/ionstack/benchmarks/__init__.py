"""What ``ionstack bench`` measures: reference problems, other codes beside, a table."""
