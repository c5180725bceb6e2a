//! The double of the CloneSet controller, on real pods: what tests of Sluice with CloneSets stand
//! on. Each says what Kruise does, also where that is inconvenient. No Sluice has a part in it.

mod inplace;
mod pods;
mod rollback;
mod scaling;
mod stage;
mod updates;
mod validation;
