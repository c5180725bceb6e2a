//! The load generator as a program, for where the tests' own process does not stand. Input: an
//! order as one line of JSON; its end stops the load. Output: each exchange as a line of JSON.

use std::error::Error;
use std::io::{BufRead as _, Write as _, stdin, stdout};
use std::process::ExitCode;
use std::thread;

use e2e::load::{Exchange, Order, drive};
use tokio_util::sync::CancellationToken;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stderr, reason = "a command says why it failed")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let line = stdin().lock().lines().next().ok_or("no order")??;
    let order: Order = serde_json::from_str(&line)?;
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    // A thread, because a read of the input cannot be given up: it ends with the process.
    thread::spawn(move || {
        stdin().lock().lines().map_while(Result::ok).for_each(drop);
        stopped.cancel();
    });
    Ok(drive(&order, &stop, tell).await?)
}

/// Whoever listens no longer has ended this process, or will.
fn tell(exchange: &Exchange) {
    if let Ok(line) = serde_json::to_string(exchange) {
        let _ = writeln!(stdout(), "{line}");
    }
}
