//! The query language over recipes and tasks.
