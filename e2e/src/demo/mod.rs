//! The demo: the story of a careful release and of one that fails, played on a real cluster with
//! the commands that a user would type. Every step is verified by the API; a step that does not
//! happen within its deadline ends the demo with an error.

pub mod story;
pub mod terminal;

pub use story::play;
