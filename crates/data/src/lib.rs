//! The datastore: overrides, flags, expansion with tracked dependencies, history.
