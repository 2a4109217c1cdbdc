//! Vocabulary shared by the metadata half and the execution half: names, ids,
//! locations, error kinds and the record kept of an evaluated recipe.
//!
//! Types and their text forms only. No file access, no evaluation.

mod error;
mod level;
mod location;
mod recipe;
mod repr;

pub use error::ErrorKind;
pub use level::CompatLevel;
pub use location::SourceLoc;
pub use recipe::{InvalidRecipeId, RecipeId, RecipeInfo, TaskDeps, TaskId};
pub use repr::python_repr;
