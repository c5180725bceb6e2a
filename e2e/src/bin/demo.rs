//! The demo as a program. Needs a cluster with Sluice in it; exits non-zero when a step of the
//! story did not happen.

use std::process::ExitCode;

use e2e::demo::{play, terminal::Terminal};

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return ExitCode::FAILURE };
    runtime.block_on(async {
        let mut terminal = Terminal::default();
        match play(&mut terminal).await {
            Ok(()) => {
                terminal.summary();
                ExitCode::SUCCESS
            }
            Err(failure) => {
                terminal.failed(&failure.to_string());
                ExitCode::FAILURE
            }
        }
    })
}
