//! The story so far, for whoever has to find out what went wrong. Keeps the last lines only.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

const KEPT: usize = 160;

/// Lines with their moments.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    lines: VecDeque<(Duration, String)>,
    dropped: usize,
}

impl Timeline {
    /// Adds a line.
    pub fn push(&mut self, now: Duration, line: impl Into<String>) {
        if self.lines.len() == KEPT {
            self.lines.pop_front();
            self.dropped += 1;
        }
        self.lines.push_back((now, line.into()));
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dropped > 0 {
            writeln!(f, "  ({} earlier lines)", self.dropped)?;
        }
        for (at, line) in &self.lines {
            writeln!(f, "  {:>8.3} s  {line}", at.as_secs_f64())?;
        }
        Ok(())
    }
}
