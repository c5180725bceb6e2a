//! Printing: tables as kubectl draws them, JSON and YAML. Knows nothing of releases.

use std::io::Write;

use clap::ValueEnum;
use serde::Serialize;

use crate::error::Error;

/// Formats of `-o`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Json,
    Yaml,
    Name,
    Wide,
}

/// Writes a text and a line end to standard output.
pub(crate) fn line(text: &str) -> Result<(), Error> {
    writeln!(std::io::stdout().lock(), "{text}").map_err(Error::Output)
}

/// Writes what went wrong to standard error.
pub(crate) fn complaint(text: &str) {
    // Nothing is left to do where standard error itself is gone.
    let _ = writeln!(std::io::stderr(), "error: {text}");
}

/// An object as JSON or YAML text.
pub(crate) fn document<T: Serialize>(value: &T, yaml: bool) -> Result<String, Error> {
    let text = if yaml {
        serde_saphyr::to_string(value).map_err(|error| Error::Print(error.to_string()))?
    } else {
        serde_json::to_string_pretty(value).map_err(|error| Error::Print(error.to_string()))?
    };
    Ok(text.trim_end().to_owned())
}

/// Columns padded to their widest cell, three spaces apart, as kubectl draws them.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let draw = |row: &Vec<String>| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("   ").trim_end().to_owned()
    };
    rows.iter().map(draw).collect::<Vec<_>>().join("\n")
}

/// A span as kubectl prints ages: the two largest units at most.
pub(crate) fn age(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600, seconds / 60);
    match () {
        () if days >= 2 => format!("{days}d"),
        () if hours >= 3 => format!("{hours}h"),
        () if minutes >= 10 => format!("{minutes}m"),
        () if minutes >= 2 => format!("{minutes}m{}s", seconds % 60),
        () => format!("{seconds}s"),
    }
}
