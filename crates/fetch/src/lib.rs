//! SRC_URI fetchers, mirrors, checksums, unpacking.
