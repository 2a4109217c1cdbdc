"""User interfaces: only what scripts use of BitBake's console."""
