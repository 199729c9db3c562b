"""Writing whole or not at all, and where caches lie."""
