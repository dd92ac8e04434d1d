"""The Power Automate connector: its files, and the rules that its swagger document is held to. Not deployed."""
