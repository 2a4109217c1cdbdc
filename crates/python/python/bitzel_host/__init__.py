"""What runs inside a host process beside the `bb` package: start-up, commands that
answer with text, and errors in metadata shown with their lines."""
