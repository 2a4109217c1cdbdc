//! What the user sees of a build: BitBake's messages as its default user interface prints
//! them where there is no terminal, and a live view of running tasks where there is one.

mod build_view;
mod live;
mod tally;

pub use build_view::{BuildView, ViewOptions};
