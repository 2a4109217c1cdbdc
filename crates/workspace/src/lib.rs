//! A build directory as commands see it: where it is, what its configuration says, its
//! recipes evaluated by hosts or taken from the recipe cache, and the plan of what is to
//! be done for targets.

mod build_dir;
mod cache;
mod cache_file;
mod equivalence;
mod error;
mod evaluation;
mod graph_record;
mod layer_signatures;
mod parallel;
mod path_states;
mod plan;
mod providers;
mod recipes;
mod signature_files;
mod watch;

pub use build_dir::{BuildDir, ConfigChoice, cache_folder, payload};
pub use equivalence::{Equivalence, PlanEquivalence};
pub use error::{Error, Result};
pub use evaluation::{Evaluation, Outcome, Parsed};
pub use layer_signatures::LayerSigner;
pub use plan::{ExtraDepends, Plan, PlanError, PlanOptions, Signing};
pub use recipes::Recipes;
pub use signature_files::{SignatureFile, SignatureFiles};
pub use watch::{Silent, Watch};
