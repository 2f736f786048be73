"""Enlarger: local-first image enlarging for manga pages and photographs."""

__version__ = "0.1.0"
