"""What every client of a web service here needs: one transport, one gate for throttling, retries by effect.

Dataverse and Partner Center are built on it. Only `transport` knows which HTTP library is used.
"""
