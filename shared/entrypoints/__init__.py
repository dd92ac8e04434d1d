"""Timers, queues and HTTP: parse, call one workflow step, map its outcome. No decisions are made here."""
