//! From text to evaluated recipes: base configuration, layers, statements, classes,
//! variants, and the record kept of each recipe.
//!
//! Knows nothing of tasks being run. Python is behind [`PythonHost`].

mod addfragments;
mod assign;
mod collect;
mod config;
mod error;
mod evaluate;
pub mod export;
mod files;
mod finalise;
mod functions;
mod host;
mod include;
mod info;
mod inherit;
mod keys;
mod layers;
pub mod protocol;
mod record;
mod tasks;
mod virtual_providers;

pub use collect::{Collected, RecipeFile, list_files};
pub use config::{BaseConfig, ConfigOptions};
pub use error::{Error, Result};
pub use evaluate::Evaluator;
pub use files::{FileCache, dependencies, mark_dependency, normalise, which};
pub use finalise::{Variant, Variants};
pub use host::{EvalEvent, Handler, PythonHost};
pub use info::recipe_info;
pub use keys::expand_keys;
pub use layers::{Layer, LayerRules, expand_reference};
pub use record::Record;
pub use tasks::{add_task, delete_task};
