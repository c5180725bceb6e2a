//! The real `kubectl`, as a user runs it. Knows how to run it and what it said; what to say to it
//! is the tests' business.

use std::fmt;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::failure::{Failure, Outcome};

/// No command of a test takes so long.
const PATIENCE: Duration = Duration::from_secs(120);

/// kubectl in one namespace.
#[derive(Clone, Debug)]
pub struct Kubectl {
    namespace: String,
}

/// What a command said.
#[derive(Clone, Debug)]
pub struct Said {
    /// The command line.
    pub command: String,
    /// Its exit code; None if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error, where warnings are.
    pub err: String,
}

impl Said {
    /// It ended well.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.code == Some(0)
    }

    /// Both outputs contain `text` somewhere.
    #[must_use]
    pub fn mentions(&self, text: &str) -> bool {
        self.out.contains(text) || self.err.contains(text)
    }

    /// Itself, if it ended well.
    ///
    /// # Errors
    /// It did not.
    pub fn fine(self) -> Outcome<Self> {
        if self.is_fine() { Ok(self) } else { Err(Failure::Command(self.to_string())) }
    }

    /// Itself, if it was refused with words that contain `text`.
    ///
    /// # Errors
    /// It was not refused, or with other words.
    pub fn refused(self, text: &str) -> Outcome<Self> {
        if self.is_fine() || !self.mentions(text) {
            return Err(Failure::Command(format!("not refused with {text:?}: {self}")));
        }
        Ok(self)
    }

    /// Itself, if its output contains `text`.
    ///
    /// # Errors
    /// It does not.
    pub fn saying(self, text: &str) -> Outcome<Self> {
        if self.mentions(text) {
            return Ok(self);
        }
        Err(Failure::Command(format!("does not say {text:?}: {self}")))
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        write!(f, "{} (exit {code})\n{}{}", self.command, self.out, self.err)
    }
}

impl Kubectl {
    /// kubectl in `namespace`.
    #[must_use]
    pub fn new(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned() }
    }

    /// Runs it, whatever comes of it.
    ///
    /// # Errors
    /// It cannot be run, or does not end.
    pub async fn try_run(&self, args: &[&str], input: Option<&Value>) -> Outcome<Said> {
        let command = format!("kubectl {} -n {}", args.join(" "), self.namespace);
        let failed = |source| Failure::Program { program: command.clone(), source };
        let mut child = Command::new("kubectl")
            .args(args)
            .args(["-n", &self.namespace])
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let pipe = child.stdin.take();
        let feed = async {
            if let (Some(mut pipe), Some(input)) = (pipe, input) {
                // A command that does not read to the end says why by itself.
                let _ = pipe.write_all(input.to_string().as_bytes()).await;
            }
        };
        let ended = async { tokio::join!(child.wait_with_output(), feed).0 };
        let Ok(output) = timeout(PATIENCE, ended).await else {
            return Err(Failure::Command(format!("{command}: no end after {PATIENCE:?}")));
        };
        let output = output.map_err(failed)?;
        Ok(Said {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            command,
        })
    }

    /// Runs it and expects it to end well.
    ///
    /// # Errors
    /// It did not.
    pub async fn run(&self, args: &[&str]) -> Outcome<Said> {
        self.try_run(args, None).await?.fine()
    }

    /// Runs it with a manifest on its input and expects it to end well.
    ///
    /// # Errors
    /// It did not.
    pub async fn feed(&self, args: &[&str], manifest: &Value) -> Outcome<Said> {
        self.try_run(args, Some(manifest)).await?.fine()
    }

    /// Its output as JSON.
    ///
    /// # Errors
    /// It failed, or said something else.
    pub async fn json(&self, args: &[&str], manifest: Option<&Value>) -> Outcome<Value> {
        let mut args = args.to_vec();
        args.extend(["-o", "json"]);
        let said = self.try_run(&args, manifest).await?.fine()?;
        serde_json::from_str(&said.out)
            .map_err(|error| Failure::Command(format!("no JSON ({error}): {said}")))
    }
}
