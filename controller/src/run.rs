//! Wires the process together: one supervised tree of tasks, from the signals to the leader's work.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use certs::Place;
use crds::contract::{CERTIFICATE_SECRET, CONTROLLER_MANAGER, REGISTRATION, WEBHOOK_SERVICE};
use kube::Client;
use prometheus_client::registry::Registry;
use runtime::admin::{self, Admin};
use runtime::process::ProcessMetrics;
use runtime::shutdown::{Grace, Signals};
use runtime::supervise::Ended;
use runtime::{Readiness, Shutdown, Supervisor};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::args::Config;
use crate::cluster::Cluster;
use crate::hook::Hooks;
use crate::lease::Elector;
use crate::metrics::{Metrics, Releases};
use crate::notify::{Crier, Outbox};
use crate::provider::Providers;
use crate::publish;
use crate::reconcile::Context;
use crate::{engine, world::World};

/// A turn ends within a few calls; the Lease is let go after that.
const GRACE: Grace = Grace { lame_duck: Duration::ZERO, drain: Duration::from_secs(20) };
/// Letting the Lease go is a courtesy: it ends by itself.
const RELEASE: Duration = Duration::from_secs(3);

/// Why the controller ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No way to the apiserver is configured.
    #[error("neither in a pod nor is there a kubeconfig")]
    Config(#[source] kube::config::InferConfigError),
    /// The way to the apiserver cannot be used.
    #[error("client")]
    Client(#[source] kube::Error),
    /// The admin port is taken, or signals cannot be caught.
    #[error("system")]
    System(#[source] io::Error),
    /// A task ended.
    #[error("ended")]
    Ended(#[source] Ended),
}

impl RunError {
    /// A stable word for logs.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Config(_) => "config",
            Self::Client(_) => "client",
            Self::System(_) => "system",
            Self::Ended(ended) => ended.kind(),
        }
    }
}

/// Runs until a signal asks for the end.
///
/// # Errors
/// [`RunError`] if it ends otherwise.
pub async fn run(config: Config) -> Result<(), RunError> {
    // kube and reqwest take the process's provider. Already there is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = client().await?;
    let mut signals = Signals::install().map_err(RunError::System)?;
    let listener = TcpListener::bind(config.admin_address).await.map_err(RunError::System)?;
    let shutdown = Shutdown::default();
    let readiness = Readiness::default();
    let world = Arc::new(Mutex::new(World::new(&config.namespace)));
    let certificate = certs::KeepMetrics::default();
    let mut registry = Registry::default();
    registry.register_collector(Box::new(ProcessMetrics));
    let ours = registry.sub_registry_with_prefix("sluice");
    let metrics = Metrics::register(ours);
    ours.register_collector(Box::new(Releases(Arc::clone(&world))));
    certificate.register(ours);
    let leader = Leader {
        ready: readiness.condition("lease"),
        client,
        config,
        metrics,
        world,
        certificate,
        shutdown: shutdown.clone(),
    };
    let mut tasks = Supervisor::new(shutdown.clone());
    tasks.spawn("admin", admin::serve(listener, Admin { readiness, registry, shutdown }));
    tasks.spawn("leader", leader.run());
    tasks.run(GRACE, async || signals.next().await).await.map_err(RunError::Ended)
}

async fn client() -> Result<Client, RunError> {
    let mut config = kube::Config::infer().await.map_err(RunError::Config)?;
    // Ours are endless, jittered, and see fresh state before they try again.
    config.default_retry = false;
    config.headers.push((
        http::header::USER_AGENT,
        http::HeaderValue::from_static(concat!("sluice-controller/", env!("CARGO_PKG_VERSION"))),
    ));
    runtime::client(config).map_err(RunError::Client)
}

/// Leads when it can, until the process stops.
struct Leader {
    client: Client,
    config: Config,
    metrics: Metrics,
    world: Arc<Mutex<World>>,
    certificate: certs::KeepMetrics,
    ready: runtime::ready::Condition,
    shutdown: Shutdown,
}

impl Leader {
    async fn run(self) -> Result<(), RunError> {
        // Unique among all processes that ever were: a restarted pod has the old one's name.
        let started = runtime::clock::now().as_nanosecond();
        let me = format!("{}_{started:x}", self.config.identity);
        let elector = Elector::new(
            self.client.clone(),
            &self.config.namespace,
            &self.config.lease,
            me.clone(),
            self.metrics.clone(),
            self.ready.clone(),
        );
        loop {
            let held = tokio::select! {
                biased;
                () = self.shutdown.stopping() => return Ok(()),
                // Not resumed after a stop: a Lease just taken runs out by itself.
                held = elector.acquire() => held,
            };
            let released = CancellationToken::new();
            let kept = released.run_until_cancelled(elector.keep(held));
            tokio::select! {
                biased;
                () = self.lead(&elector, &me, &released) => return Ok(()),
                // All work is dropped where it is: every write of it had its precondition. A Lease
                // that we let go ourselves is not lost.
                Some(()) = kept => {}
            }
            // What this time of leading knew is old from now on.
            let world = World::new(&self.config.namespace);
            *self.world.lock().unwrap_or_else(PoisonError::into_inner) = world;
        }
    }

    fn place(&self) -> Place {
        Place {
            namespace: self.config.namespace.clone(),
            secret: CERTIFICATE_SECRET.to_owned(),
            service: WEBHOOK_SERVICE.to_owned(),
            registration: REGISTRATION.to_owned(),
            manager: CONTROLLER_MANAGER.to_owned(),
        }
    }

    /// All that only the leader does; returns when the process stops.
    async fn lead(&self, elector: &Elector, me: &str, released: &CancellationToken) {
        let (sender, receiver) = publish::channel();
        let outbox = Arc::new(Outbox::new(self.metrics.clone()));
        let context = Arc::new(Context {
            cluster: Cluster::new(self.client.clone(), elector.tenure(), self.metrics.clone()),
            world: Arc::clone(&self.world),
            providers: Providers::new(self.client.clone(), &self.config.namespace),
            hooks: Hooks::new(self.client.clone(), &self.config.namespace),
            demand: Notify::new(),
            news: sender,
            outbox: Arc::clone(&outbox),
            metrics: self.metrics.clone(),
            shutdown: self.shutdown.clone(),
            decide: plan::plan,
        });
        let engine = async {
            engine::run(context, self.config.concurrency, &self.shutdown).await;
            outbox.close();
        };
        let crier = Crier::new(self.client.clone(), &self.config.namespace, self.metrics.clone());
        let events = publish::tell(self.client.clone(), me, receiver, &self.metrics);
        let certificate = async {
            if self.config.certificate {
                let place = self.place();
                certs::keep(&self.client, &place, &self.certificate, self.shutdown.token()).await;
            }
        };
        let work = async {
            tokio::join!(engine, certificate);
            released.cancel();
            let _ = timeout(RELEASE, elector.release()).await;
        };
        // The engine holds the sender of news: it ends first, then what it told is delivered, and
        // nobody waits for that.
        tokio::join!(work, events, crier.run(&outbox));
    }
}
