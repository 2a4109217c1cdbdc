//! What the user sees of a build: BitBake's messages as its default user interface prints
//! them where there is no terminal, and a live view of running tasks where there is one.

mod blame;
mod build_view;
mod downloads;
mod first_error;
mod live;
mod tally;

pub use blame::recipe_line;
pub use build_view::{BuildView, ViewOptions};
pub use first_error::first_error;
pub use tally::FailedTask;
