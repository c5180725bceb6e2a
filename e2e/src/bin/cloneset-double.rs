//! The double of the `CloneSet` controller as a program: the cluster from KUBECONFIG, or the one
//! that it runs in; SIGTERM as the stop.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_target(false).with_ansi(false).init();
    let stop = CancellationToken::new();
    let run = e2e::cloneset::run(stop.clone());
    let stopped = async {
        terminated().await;
        tracing::info!("stopping");
        stop.cancel();
        std::future::pending::<()>().await;
    };
    let ran = tokio::select! {
        biased;
        () = stopped => Ok(()),
        ran = run => ran,
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = ?error.to_string());
            ExitCode::FAILURE
        }
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
