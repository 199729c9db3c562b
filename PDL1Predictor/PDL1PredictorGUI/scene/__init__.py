"""Between the scene's nodes and the library's images."""
