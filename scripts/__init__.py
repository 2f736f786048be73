"""Tools for those who work on Enlarger; nothing here is installed."""
