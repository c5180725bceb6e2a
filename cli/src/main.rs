//! `kubectl sluice`: the human's side of Sluice. Owns the process: parse, run, exit code.

mod args;
mod cluster;
mod error;
mod explain;
mod gate;
mod get;
mod numbered;
mod output;
mod paint;
mod release_hold;
mod request;
mod simulate;
mod status;
mod tree;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = args::Args::parse();
    match run(args) {
        Ok(code) => code,
        Err(error) => {
            output::complaint(&error.chain());
            ExitCode::FAILURE
        }
    }
}

fn run(args: args::Args) -> Result<ExitCode, error::Error> {
    // An error means that a provider is installed already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(error::Error::Runtime)?;
    runtime.block_on(args.run())
}
