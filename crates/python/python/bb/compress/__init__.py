"""Reading and writing compressed files by way of the compressors' programs."""
