"""The files of a run: folder, trace, fields, depth profiles, summary."""
