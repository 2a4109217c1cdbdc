//! What is to be downloaded, how, and what came of it.

use crate::checksum::Checksums;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One file to download.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Job {
    /// `http` or `https`, without credentials.
    pub url: String,
    /// Where the file goes; while incomplete it is `TARGET.tmp`.
    pub target: PathBuf,
    /// Login, if the server wants one.
    pub user: Option<String>,
    /// Password of `user`.
    pub password: String,
    /// Whether the login goes with redirections within the same server.
    pub redirect_auth: bool,
    /// Further request headers.
    pub headers: BTreeMap<String, String>,
    /// Lock file to hold while downloading; None where the caller holds it.
    pub lock: Option<PathBuf>,
    /// Stamp to write under that lock.
    pub done: Option<PathBuf>,
    /// Checksums by kind (`md5`, `sha256`, ...) the content must have.
    pub expected: BTreeMap<String, String>,
}

/// How to download.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Attempts for each file, at least one.
    pub tries: u32,
    /// Seconds without an answer or the next bytes.
    pub timeout: u64,
    /// Do not check certificates (BB_CHECK_SSL_CERTS = "0").
    pub insecure: bool,
    /// PEM file of certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Proxy URLs by scheme: `http`, `https`, `all`. They have to allow tunnels (CONNECT), to plain servers too.
    pub proxies: BTreeMap<String, String>,
    /// Hosts that need no proxy, separated by commas.
    pub no_proxy: String,
    /// `.netrc` file.
    pub netrc: Option<PathBuf>,
    /// Files downloaded at the same time.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            tries: 2,
            timeout: 100,
            insecure: false,
            ca_file: None,
            proxies: BTreeMap::new(),
            no_proxy: String::new(),
            netrc: None,
            threads: 8,
        }
    }
}

/// What came of a job.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum Outcome {
    /// Downloaded and right.
    Done {
        /// Of the job.
        url: String,
        /// Checksums of the content.
        found: Checksums,
    },
    /// Was there already: another process was faster.
    Present {
        /// Of the job.
        url: String,
        /// Always true.
        present: bool,
    },
    /// Downloaded, but not what was expected; put aside.
    Mismatch {
        /// Of the job.
        url: String,
        /// Always true.
        bad_checksum: bool,
        /// Checksums of the content.
        computed: Checksums,
        /// For people.
        error: String,
    },
    /// Not downloaded.
    Failed {
        /// Of the job.
        url: String,
        /// For people.
        error: String,
    },
}
