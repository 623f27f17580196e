"""Many runs of one case: planned, dealt to groups of ranks, gathered."""
