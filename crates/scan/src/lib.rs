//! Which variables and functions a piece of shell or Python code refers to.
