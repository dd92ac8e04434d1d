"""The local cloud as one process: its parts over one environment, and the endpoint that controls them."""
