//! The test application as a program: settings from the environment, SIGTERM as the stop.

use std::process::ExitCode;

use clap::Parser;
use e2e::testapp::{Server, ServerError, Settings};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_target(false).init();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = match runtime {
        Ok(runtime) => runtime.block_on(serve(Settings::parse())),
        Err(error) => {
            tracing::error!(%error, "no runtime");
            return ExitCode::FAILURE;
        }
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(kind = error.kind(), %error);
            ExitCode::FAILURE
        }
    }
}

async fn serve(settings: Settings) -> Result<(), ServerError> {
    let stop = CancellationToken::new();
    let delay = settings.start_delay.get();
    let run = async {
        // A stop in the start delay ends it at once: nothing was begun.
        if stop.run_until_cancelled(tokio::time::sleep(delay)).await.is_none() {
            return Ok(());
        }
        tracing::info!(version = settings.version, port = settings.port, "listening");
        Server::bind(settings).await?.run(stop.clone()).await
    };
    let stopped = async {
        terminated().await;
        tracing::info!("draining");
        stop.cancel();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        () = stopped => Ok(()),
        served = run => served,
    }
}

/// Ends at the first SIGTERM or SIGINT; never where the system has no signals to give.
async fn terminated() {
    let (Ok(mut term), Ok(mut int)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        biased;
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}
