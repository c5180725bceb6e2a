//! Puts the process together: logs, certificate, server, admin port, tasks.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use certs::{ServeMetrics, follow, served};
use kube::Config;
use prometheus_client::registry::Registry;
use runtime::admin::{self, Admin};
use runtime::process::ProcessMetrics;
use runtime::server::{Limits, Server, ServerMetrics, bind};
use runtime::shutdown::Signals;
use runtime::{Readiness, Shutdown, Supervisor, telemetry};

use crate::args::Args;
use crate::metrics::Metrics;
use crate::rivals::Live;
use crate::service::Service;
use crate::tls::Tls;

/// Bounds of the webhook's server.
pub const LIMITS: Limits = Limits {
    connections: 1024,
    requests: 512,
    header: Duration::from_secs(5),
    // The apiserver keeps idle connections for 90 s and must be the one that closes them.
    idle: Duration::from_secs(120),
    // A TLS record; the apiserver's heads have some 300 bytes.
    buffer_bytes: 16 * 1024,
};

/// Runs the webhook until a signal ends it.
///
/// # Errors
/// Something could not be set up, or a task ended unasked.
pub async fn run(args: Args) -> Result<(), Box<dyn Error + Send + Sync>> {
    telemetry::init(args.log_format, &args.log)?;
    // kube takes the process's provider; the server names its own.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut signals = Signals::install()?;
    let client = runtime::client(Config::infer().await?)?;
    let (readiness, shutdown) = (Readiness::default(), Shutdown::default());
    let mut registry = Registry::default();
    registry.register_collector(Box::new(ProcessMetrics));
    let ours = registry.sub_registry_with_prefix("sluice_webhook");
    let (certificate, serving) = (ServeMetrics::default(), ServerMetrics::default());
    certificate.register(ours);
    serving.register(ours);
    let metrics = Metrics::new(ours);

    let (publisher, mut served) = served();
    let service = Arc::new(Service::new(args.controller(), Live::new(client.clone()), metrics));
    let server = Server {
        open: Tls::new(Arc::new(served.clone()))?,
        limits: LIMITS,
        shutdown: shutdown.clone(),
        metrics: serving,
    };
    let listener = bind(args.listen).await?;
    let admin_listener = bind(args.admin_listen).await?;
    let ready = readiness.condition("certificate");

    let mut supervisor = Supervisor::new(shutdown.clone());
    let (place, stopping) = (args.place(), shutdown.clone());
    supervisor.spawn("certificate", async move {
        let available = async {
            served.available().await;
            ready.set(true);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            // Neither arm leaves anything half done: certificates are only read.
            () = follow(&client, &place, &publisher, &certificate, stopping.token()) => {}
            () = available => {}
        }
        Ok::<_, Infallible>(())
    });
    supervisor.spawn("webhook", async move {
        let handler = move |request| Arc::clone(&service).handle(request);
        server.serve(listener, handler).await;
        Ok::<_, Infallible>(())
    });
    supervisor
        .spawn("admin", admin::serve(admin_listener, Admin { readiness, registry, shutdown }));
    tracing::info!(listen = %args.listen, admin = %args.admin_listen, "webhook started");
    supervisor.run(args.grace(), async || signals.next().await).await?;
    tracing::info!("webhook ended");
    Ok(())
}
