//! The export: what a build directory means, variable by variable, as JSON lines
//! that scripts can read and that can be compared with other tools' answers.

mod normalise;
mod record;
mod signature;
mod writer;

pub use normalise::{Lookup, Normaliser, Places};
pub use record::{RecordKind, record};
pub use signature::signature_record;
pub use writer::{Blobs, LinesFile};
