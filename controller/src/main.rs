//! The controller's binary: arguments, logs, the runtime.

use std::process::ExitCode;

use clap::Parser;
use controller::{Args, Config, run};
use runtime::{chain, telemetry};

fn main() -> ExitCode {
    let args = Args::parse();
    if let Err(error) = telemetry::init(args.log_format, &args.log) {
        #[expect(clippy::print_stderr, reason = "there are no logs yet")]
        let () = eprintln!("sluice-controller: {}", chain(&error));
        return ExitCode::from(2);
    }
    // One thread: the work is waiting, and a second one would cost memory for nothing.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(error = %chain(&error), "no runtime");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(Config::from(&args))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(kind = error.kind(), error = %chain(&error), "ended");
            ExitCode::FAILURE
        }
    }
}
