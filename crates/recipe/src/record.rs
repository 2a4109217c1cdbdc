//! What is kept of an evaluated recipe file: packed as a whole, since most commands want few
//! of them, with what all commands ask of each beside it.

use crate::protocol::Evaluated;
use bitzel_base::RecipeInfo;
use serde::{Deserialize, Serialize};
use std::io;

/// Records of one recipe file differ from each other in little; more effort gains next to nothing.
const LEVEL: i32 = 1;

/// An evaluated recipe file, packed by the process that evaluated it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Variant names, and of their records what says who provides what by that name at build time.
    pub variants: Vec<(String, RecipeInfo)>,
    /// Paths looked at, existing or not.
    pub files: Vec<String>,
    /// Words of [file-checksums]: `PATH:True`, or `PATH:False` for one that was not there.
    pub checksums: Vec<String>,
    /// BB_DONT_CACHE is not set in any of the variants.
    pub lasting: bool,
    /// The [`Evaluated`] as MessagePack, compressed by zstd.
    #[serde(with = "serde_bytes")]
    packed: Vec<u8>,
}

impl Record {
    /// Packs what was evaluated.
    ///
    /// # Errors
    /// Those of the two libraries, which have none but for lack of memory.
    pub fn pack(evaluated: &Evaluated) -> io::Result<Record> {
        let mut checksums: Vec<String> = Vec::new();
        for (_, info) in &evaluated.variants {
            let words = info.file_checksums.values().flat_map(|sums| sums.split_whitespace());
            checksums.extend(words.map(str::to_owned));
        }
        checksums.sort_unstable();
        checksums.dedup();
        let bytes = rmp_serde::to_vec(evaluated).map_err(io::Error::other)?;
        Ok(Record {
            variants: evaluated.variants.iter().map(|(name, info)| (name.clone(), provider(info))).collect(),
            files: evaluated.files.clone(),
            checksums,
            lasting: evaluated.variants.iter().all(|(_, info)| info.nocache != "1"),
            packed: zstd::bulk::compress(&bytes, LEVEL)?,
        })
    }

    /// The packed bytes, for [`Record::unpack`].
    pub fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// What was packed.
    ///
    /// # Errors
    /// [`io::ErrorKind::Other`] or one of zstd's for bytes that [`Record::pack`] did not make.
    pub fn unpack(packed: &[u8]) -> io::Result<Evaluated> {
        let bytes = zstd::decode_all(packed)?;
        rmp_serde::from_slice(&bytes).map_err(io::Error::other)
    }
}

/// What choosing a provider by a name of PROVIDES looks at.
fn provider(info: &RecipeInfo) -> RecipeInfo {
    RecipeInfo {
        skipped: info.skipped,
        skipreason: info.skipreason.clone(),
        pn: info.pn.clone(),
        pe: info.pe.clone(),
        pv: info.pv.clone(),
        pr: info.pr.clone(),
        defaultpref: info.defaultpref,
        provides: info.provides.clone(),
        ..RecipeInfo::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_unpacks_to_what_was_packed_and_says_what_it_depends_on() {
        let mut plain =
            RecipeInfo { pn: "a".into(), provides: vec!["a".into(), "b".into()], ..RecipeInfo::default() };
        plain.file_checksums.insert("do_fetch".into(), " /x:True /y:False".into());
        plain.file_checksums.insert("do_unpack".into(), "/x:True".into());
        plain.tasks = vec!["do_fetch".into(), "do_unpack".into()];
        let skipped = RecipeInfo { skipped: true, nocache: "1".into(), ..RecipeInfo::default() };
        let mut evaluated = Evaluated { variants: vec![(String::new(), plain)], files: vec!["/a.bb".into()] };
        let record = Record::pack(&evaluated).unwrap();
        assert_eq!(record.checksums, ["/x:True", "/y:False"]);
        assert_eq!(record.variants[0].1.provides, ["a", "b"]);
        assert!(record.lasting && record.variants[0].1.tasks.is_empty());
        assert_eq!(Record::unpack(record.packed()).unwrap(), evaluated);
        evaluated.variants.push(("native".into(), skipped));
        let record = Record::pack(&evaluated).unwrap();
        assert!(!record.lasting && record.variants[1].1.skipped);
        assert!(Record::unpack(b"no record").is_err());
    }
}
