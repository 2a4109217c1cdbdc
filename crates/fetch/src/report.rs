//! What a build needs from the network: which sources are there, which are missing, under which licences.

use crate::checksum::Checksums;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// One SRC_URI entry of one recipe, as evaluation found it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Source {
    /// PN.
    pub recipe: String,
    /// PV.
    pub version: String,
    /// LICENSE.
    pub license: String,
    /// The entry, without credentials.
    pub url: String,
    /// Where the download is or will be; empty for local files.
    pub localpath: PathBuf,
    /// Its stamp.
    pub donestamp: Option<PathBuf>,
    /// Tarballs that would do instead.
    pub tarballs: Vec<PathBuf>,
    /// Revision of a source control system.
    pub revision: Option<String>,
    /// Checksums of the recipe by kind.
    pub checksums: BTreeMap<String, String>,
    /// Checksums the stamp has, by kind.
    pub stamped: BTreeMap<String, String>,
    /// Of a repository: whether the clone has the revision.
    pub complete: Option<bool>,
}

/// Whether a source can be had without network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceState {
    /// A file of the layers.
    Local,
    /// In DL_DIR, complete.
    Present,
    /// In DL_DIR, but nothing tells whether it is right: a file without stamp and checksum, which is taken
    /// as it is, or a tarball of a repository.
    Unverified,
    /// In DL_DIR with other checksums than the recipe's; will be fetched again.
    Wrong,
    /// Begun; the rest will be fetched.
    Partial,
    /// To be fetched.
    Missing,
}

impl Source {
    /// Looks at the file system. A file without stamp is read, to compare its checksums.
    pub fn state(&self) -> SourceState {
        if self.localpath.as_os_str().is_empty() {
            return SourceState::Local;
        }
        let tarball = || self.tarballs.iter().any(|path| path.exists());
        match self.complete {
            Some(true) => return SourceState::Present,
            Some(false) if tarball() => return SourceState::Unverified,
            Some(false) => return SourceState::Missing,
            None if tarball() => return SourceState::Present,
            None => {}
        }
        if !self.localpath.exists() {
            let begun = partial(&self.localpath).exists();
            return if begun { SourceState::Partial } else { SourceState::Missing };
        }
        if self.donestamp.as_deref().is_some_and(Path::exists) {
            // BitBake: an empty stamp says that the download was complete, and no more.
            let wrong = self.checksums.iter().any(|(kind, wanted)| {
                self.stamped.get(kind).is_some_and(|found| !found.eq_ignore_ascii_case(wanted))
            });
            return if wrong { SourceState::Wrong } else { SourceState::Present };
        }
        if self.checksums.is_empty() {
            return SourceState::Unverified;
        }
        match Checksums::of_file(&self.localpath) {
            Ok(found) if found.mismatch(&self.checksums).is_none() => SourceState::Present,
            _ => SourceState::Wrong,
        }
    }
}

fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}

/// Can this build go offline?
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OfflineReport {
    /// No source is missing, wrong or partial.
    pub offline: bool,
    /// Sources by state; each download counts once, however many recipes name it.
    pub counts: BTreeMap<SourceState, usize>,
    /// What has to be fetched: (state, URL, recipes that need it), sorted.
    pub missing: Vec<(SourceState, String, Vec<String>)>,
    /// Bytes of the downloads that are there.
    pub present_bytes: u64,
    /// Guess of the bytes to fetch: as many for each missing one as the present ones have on average.
    pub estimated_bytes: Option<u64>,
}

/// Looks up all sources of a build.
pub fn offline_report(sources: &[Source]) -> OfflineReport {
    let mut downloads: BTreeMap<&Path, (&Source, BTreeSet<&str>)> = BTreeMap::new();
    let mut report = OfflineReport::default();
    for source in sources {
        if source.localpath.as_os_str().is_empty() {
            *report.counts.entry(SourceState::Local).or_default() += 1;
        } else {
            downloads
                .entry(&source.localpath)
                .or_insert_with(|| (source, BTreeSet::new()))
                .1
                .insert(&source.recipe);
        }
    }
    let mut sized = 0u64;
    for (source, recipes) in downloads.values() {
        let state = source.state();
        *report.counts.entry(state).or_default() += 1;
        if !matches!(state, SourceState::Present | SourceState::Unverified) {
            let recipes = recipes.iter().map(|&recipe| recipe.to_owned()).collect();
            report.missing.push((state, source.url.clone(), recipes));
        } else if let Ok(meta) = std::fs::metadata(&source.localpath)
            && meta.is_file()
        {
            report.present_bytes += meta.len();
            sized += 1;
        }
    }
    report.missing.sort();
    report.offline = report.missing.is_empty();
    report.estimated_bytes = match (report.missing.len() as u64, sized) {
        (0, _) => Some(0),
        (_, 0) => None,
        (missing, _) => Some(report.present_bytes / sized * missing),
    };
    report
}

/// One download in the licence manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LicenseEntry {
    /// Without credentials.
    pub url: String,
    /// Name in DL_DIR.
    pub file: String,
    /// Revision of a source control system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Checksums of the recipe by kind.
    pub checksums: BTreeMap<String, String>,
    /// Licence expression -> recipes (`PN-PV`) that give it.
    pub licenses: BTreeMap<String, Vec<String>>,
}

/// Every download of a build with the licences of the recipes that use it, sorted by file name.
pub fn license_manifest(sources: &[Source]) -> Vec<LicenseEntry> {
    let mut entries: BTreeMap<(&Path, Option<&str>), LicenseEntry> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.localpath.as_os_str().is_empty()) {
        let key = (source.localpath.as_path(), source.revision.as_deref());
        let entry = entries.entry(key).or_insert_with(|| LicenseEntry {
            url: crate::redact(&source.url),
            file: source.localpath.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            revision: source.revision.clone(),
            checksums: source.checksums.clone(),
            licenses: BTreeMap::new(),
        });
        let recipes = entry.licenses.entry(source.license.clone()).or_default();
        let recipe = format!("{}-{}", source.recipe, source.version);
        if let Err(at) = recipes.binary_search(&recipe) {
            recipes.insert(at, recipe);
        }
    }
    let mut entries: Vec<LicenseEntry> = entries.into_values().collect();
    entries.sort_by(|a, b| (&a.file, &a.revision).cmp(&(&b.file, &b.revision)));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(dir: &Path, recipe: &str, name: &str) -> Source {
        Source {
            recipe: recipe.to_owned(),
            version: "1".to_owned(),
            license: "MIT".to_owned(),
            url: format!("https://u:p@h/{name}"),
            localpath: dir.join(name),
            donestamp: Some(dir.join(format!("{name}.done"))),
            ..Source::default()
        }
    }

    #[test]
    fn a_build_can_go_offline_when_nothing_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        for name in ["a", "a.done", "b", "c.tmp"] {
            std::fs::write(dir.join(name), "1234").unwrap();
        }
        let sources = [source(dir, "x", "a"), source(dir, "y", "a"), Source::default()];
        let report = offline_report(&sources);
        assert!(report.offline);
        assert_eq!(report.present_bytes, 4);
        assert_eq!(report.counts[&SourceState::Local], 1);

        let more =
            [&sources[..], &[source(dir, "x", "b"), source(dir, "x", "c"), source(dir, "x", "d")]].concat();
        let report = offline_report(&more);
        assert!(!report.offline);
        let states: Vec<SourceState> = report.missing.iter().map(|entry| entry.0).collect();
        assert_eq!(states, [SourceState::Partial, SourceState::Missing]);
        assert_eq!(report.counts[&SourceState::Unverified], 1);
        assert_eq!(report.estimated_bytes, Some(8));
    }

    #[test]
    fn checksums_tell_whether_a_file_is_the_right_one() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), "1").unwrap();
        let mut one = source(dir.path(), "x", "a");
        let right = Checksums::of_file(&one.localpath).unwrap().sha256;
        one.checksums.insert("sha256".to_owned(), right.to_uppercase());
        assert_eq!(one.state(), SourceState::Present);
        one.checksums.insert("sha256".to_owned(), "0".repeat(64));
        assert_eq!(one.state(), SourceState::Wrong);
        // What the stamp says need not be computed.
        std::fs::write(dir.path().join("a.done"), "").unwrap();
        assert_eq!(one.state(), SourceState::Present);
        one.stamped.insert("sha256".to_owned(), right);
        assert_eq!(one.state(), SourceState::Wrong);
    }

    #[test]
    fn a_repository_is_there_when_its_clone_has_the_revision() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.tar.gz"), "1").unwrap();
        let mut one = source(dir.path(), "x", "clone");
        for (complete, state) in [(true, SourceState::Present), (false, SourceState::Missing)] {
            one.complete = Some(complete);
            assert_eq!(one.state(), state);
        }
        one.tarballs.push(dir.path().join("a.tar.gz"));
        assert_eq!(one.state(), SourceState::Unverified);
    }

    #[test]
    fn the_manifest_names_each_download_once_and_no_password() {
        let dir = Path::new("/dl");
        let manifest =
            license_manifest(&[source(dir, "b", "f"), source(dir, "a", "f"), source(dir, "b", "f")]);
        assert_eq!(manifest.len(), 1);
        assert_eq!(manifest[0].licenses["MIT"], ["a-1", "b-1"]);
        assert_eq!(manifest[0].url, "https://***@h/f");
    }
}
