"""Azure Table Storage: cases with their events and indexes, and sweep receipts."""

from shared.adapters.tables.store import TableCaseStore

__all__ = ["TableCaseStore"]
