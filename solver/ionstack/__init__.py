"""ionstack: finite-volume simulation of ion-based thin-film devices."""

__version__ = "0.1.0"
