"""One self-contained HTML page of a run, made from its files only."""

from ionstack.report.write import write_report

__all__ = ["write_report"]
