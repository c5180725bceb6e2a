//! The webhook's process.

use std::process::ExitCode;

use clap::Parser;
use webhook::args::Args;

fn main() -> ExitCode {
    let args = Args::parse();
    // One thread: a decision takes microseconds, and every thread costs memory.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(webhook::run::run(args)),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            runtime::telemetry::last_words(&*error);
            ExitCode::FAILURE
        }
    }
}
