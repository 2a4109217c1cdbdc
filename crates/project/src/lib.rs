//! kas project files, lock files and build directories.
