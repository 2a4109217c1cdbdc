//! The extension module `_bitzel`.
