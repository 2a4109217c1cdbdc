//! Executor trait, sandbox and resource limits.
