//! A load in another process, which may stand where this one does not: its order goes to that
//! program's input, each exchange comes back as a line, and the end of the input stops it.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::order::Order;
use super::run::Account;
use super::tally::Exchange;
use crate::failure::{Failure, Outcome};

/// Runs a program inside the namespaces of the cluster of this checkout.
pub const ENTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cluster/enter");

pub(super) async fn relay(
    command: &[String],
    order: &Order,
    stop: &CancellationToken,
    account: &Account,
) -> Outcome {
    let program = command.join(" ");
    let failed = |source| Failure::Program { program: program.clone(), source };
    let broken = || failed(std::io::Error::other("no pipe"));
    let (first, rest) = command.split_first().ok_or_else(broken)?;
    let mut child = Command::new(first)
        .args(rest)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let mut input = child.stdin.take().ok_or_else(broken)?;
    let mut lines = BufReader::new(child.stdout.take().ok_or_else(broken)?).lines();
    let text = serde_json::to_string(order).map_err(|error| failed(error.into()))?;
    input.write_all(format!("{text}\n").as_bytes()).await.map_err(failed)?;
    let mut input = Some(input);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled(), if input.is_some() => input = None,
            line = lines.next_line() => match line.map_err(failed)? {
                Some(line) => account.note(&exchange(&line)?),
                None => break,
            },
        }
    }
    let status = child.wait().await.map_err(failed)?;
    if status.success() { Ok(()) } else { Err(Failure::Command(format!("{program}: {status}"))) }
}

fn exchange(line: &str) -> Outcome<Exchange> {
    serde_json::from_str(line)
        .map_err(|error| Failure::Command(format!("no exchange ({error}): {line}")))
}
