"""Flow templates, checked and run. Input: definitions and answers of connectors. Output: problems; calls that are made.

Connectors are faked, and the engine is a small one of our own (engine.py): what Power Automate itself does with the
definitions is not shown here.
"""
