"""What stands before the storage emulator where something may go wrong on the way to it."""
