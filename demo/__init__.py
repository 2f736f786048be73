"""A sample volume drawn by code, so that Enlarger can be seen at work without anybody's manga."""
