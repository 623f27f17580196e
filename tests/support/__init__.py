"""What several test folders share: reference values, devices, checks of laws."""
