//! Providers, task graph, signatures and siginfo files.
