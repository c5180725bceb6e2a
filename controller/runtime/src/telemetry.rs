//! Logs: format, filter, destination. Owns the global subscriber and nothing else.

use std::error::Error;
use std::io;
use std::str::FromStr;

use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, fmt};

use crate::chain;

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line; the default, for collectors.
    #[default]
    Json,
    /// For a human at a terminal.
    Plain,
}

/// Why logs could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is no list of directives such as `info,hyper=warn`.
    #[error("log filter {filter:?}")]
    Filter {
        /// As given.
        filter: String,
        /// What is wrong with it.
        #[source]
        source: ParseError,
    },
    /// Somebody set up logs before.
    #[error("logs are set up already")]
    Twice(#[source] TryInitError),
}

impl TelemetryError {
    /// A stable word for logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Filter { .. } => "filter",
            Self::Twice(_) => "twice",
        }
    }
}

/// A text names no [`LogFormat`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no log format; use \"json\" or \"plain\"")]
pub struct UnknownFormat(String);

impl FromStr for LogFormat {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text {
            "json" => Ok(Self::Json),
            "plain" => Ok(Self::Plain),
            other => Err(UnknownFormat(other.to_owned())),
        }
    }
}

/// Sends all logs of the process to standard error.
///
/// # Errors
/// The filter cannot be read, or logs are set up already.
pub fn init(format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    // Targets, not EnvFilter: nobody here needs filters on fields, and regular expressions would
    // be a sixth of the binary.
    let filter: Targets = filter
        .parse()
        .map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source })?;
    let lines = fmt::layer().with_writer(io::stderr);
    let layer = match format {
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
        LogFormat::Plain => lines.with_filter(filter).boxed(),
    };
    tracing_subscriber::registry().with(layer).try_init().map_err(TelemetryError::Twice)
}

/// Why the process ends: a log line, or plain text where logs could not be set up.
#[expect(clippy::print_stderr, reason = "there is no log yet")]
pub fn last_words(error: &(dyn Error + 'static)) {
    if tracing::dispatcher::has_been_set() {
        tracing::error!(error = %chain(error), "ended");
    } else {
        eprintln!("{}", chain(error));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_none_is_refused_with_its_text() {
        let error = init(LogFormat::Plain, "info,hyper=loud").unwrap_err();
        assert_eq!(error.kind(), "filter");
        assert!(chain(&error).to_string().starts_with("log filter \"info,hyper=loud\": "));
    }

    #[test]
    fn formats_are_words() {
        assert_eq!("plain".parse::<LogFormat>(), Ok(LogFormat::Plain));
        assert_eq!("json".parse::<LogFormat>(), Ok(LogFormat::Json));
        assert!("JSON".parse::<LogFormat>().is_err());
    }
}
