//! The stories in `scripts/`.

use std::path::{Path, PathBuf};

use plan::sim::{Options, Script};

/// A story.
pub struct Tale {
    /// Its file.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// What happens.
    pub script: Script,
    /// It goes on until nothing happens any more, and ends the same whenever that is.
    pub ends: bool,
}

/// All stories; `TALES=ds-` leaves those alone whose names begin so.
pub fn tales() -> Vec<Tale> {
    let begin = std::env::var("TALES").unwrap_or_default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|kind| kind == "txt")).collect();
    paths.sort();
    let mut tales: Vec<_> = paths.into_iter().map(tale).collect();
    tales.retain(|tale| tale.name.starts_with(&begin));
    tales
}

fn tale(path: PathBuf) -> Tale {
    let text = std::fs::read_to_string(&path).unwrap();
    let script: Script = text.parse().unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    // What a user does at a moment of its own meets another state after a fault.
    let ends = text.contains("finish") && !text.contains("# timed");
    Tale { path, name, script, ends }
}

/// A world with the real planner.
pub fn options(seed: u64) -> Options {
    Options { seed, planner: Some(plan::plan), ..Options::default() }
}

/// A story that fails, to be read and played again: the script, and the end of what happened.
pub fn explain(script: &Script, seed: u64) -> String {
    const LINES_MAX: usize = 120;
    let outcome = script.play(&Options { record: true, ..options(seed) });
    let from = outcome.timeline.len().saturating_sub(LINES_MAX);
    let lines: Vec<_> = outcome.timeline[from..].iter().map(ToString::to_string).collect();
    let violation = outcome.violation.map_or_else(String::new, |what| what.to_string());
    format!("--- seed {seed}\n{script}---\n{}\n{violation}", lines.join("\n"))
}
