"""The demo: watches the running stack over HTTP, judges how each subscription ended, and shows it."""
