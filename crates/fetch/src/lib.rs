//! Downloading: one file or many at once over HTTP, resumed, verified while streaming,
//! under the locks and with the stamps BitBake uses; and what a build needs from the network.
//!
//! The rules of SRC_URI (schemes, mirrors, unpacking) live in the Python package
//! `bb.fetch2`, which metadata subclasses; it hands the bytes' work to this crate.

mod checksum;
mod download;
mod error;
mod http;
mod job;
mod lock;
mod netrc;
mod pool;
mod redact;
mod report;
mod stamp;

pub use checksum::{Checksums, Hasher};
pub use download::download;
pub use error::FetchError;
pub use http::Client;
pub use job::{Job, Options, Outcome};
pub use lock::FileLock;
pub use netrc::Netrc;
pub use pool::{Progress, Stage, download_all};
pub use redact::redact;
pub use report::{LicenseEntry, OfflineReport, Source, SourceState, license_manifest, offline_report};
pub use stamp::{maybe_zip, write_stamp};
