"""Tests that run a function app on the local Functions host, in processes of its own."""
