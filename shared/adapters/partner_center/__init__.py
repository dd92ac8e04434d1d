"""A client for what a diagnosis reads in Microsoft Partner Center. It never writes."""
