"""Virtual depth profiling of a device by ToF-SIMS and XPS, from files of fields only."""
