//! One test on the real cluster: a namespace of its own, the user's two manifests, the observer
//! over it all, and what a user does and sees. Knows Sluice only as a user does.
//!
//! Tests run side by side; one that breaks what others need plays alone. Run them in two groups
//! (`--skip serial`, then `serial -- --test-threads 1`) or all at once: a lock keeps them apart.

pub mod counts;
pub mod ends;
pub mod nodes;
pub mod parts;
pub mod route;
pub mod steps;
pub mod traffic;
pub mod waits;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, ObjectMeta, PostParams};
use kube::{Client, ResourceExt};
use tokio::sync::RwLock;

use crate::app::App;
use crate::cluster;
use crate::failure::{Failure, Outcome};
use crate::kubectl::Kubectl;
use crate::observer::{Observer, Told, Wishes};
use crate::plan::Plan;

/// How long a test waits for something that takes a second on an idle machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Held for reading by tests that run side by side, for writing by one that plays alone.
static TURNS: RwLock<()> = RwLock::const_new(());

/// A test in its namespace.
pub struct Scenario {
    /// kubectl in the namespace.
    pub kubectl: Kubectl,
    /// The user's Deployment as its manifest says now.
    pub app: App,
    /// The user's Rollout.
    pub plan: Plan,
    /// The observer.
    pub observer: Observer,
    client: Client,
    namespace: String,
}

/// Plays a test side by side with others: `app` runs, `plan` is armed, then `body`.
///
/// # Errors
/// What `body` says, or a broken invariant.
pub async fn play(
    name: &str,
    app: App,
    plan: Plan,
    body: impl AsyncFnOnce(&mut Scenario) -> Outcome,
) -> Outcome {
    stage(name, app, plan, async |scenario: &mut Scenario| {
        scenario.create().await?;
        body(scenario).await
    })
    .await
}

/// Plays a test side by side with others, in an empty namespace.
///
/// # Errors
/// What `body` says, or a broken invariant.
pub async fn stage(
    name: &str,
    app: App,
    plan: Plan,
    body: impl AsyncFnOnce(&mut Scenario) -> Outcome,
) -> Outcome {
    let _turn = TURNS.read().await;
    perform(name, app, plan, body).await
}

/// Plays one of several scenarios within [`alone`], in an empty namespace.
///
/// # Errors
/// What `body` says, or a broken invariant.
pub async fn perform(
    name: &str,
    app: App,
    plan: Plan,
    body: impl AsyncFnOnce(&mut Scenario) -> Outcome,
) -> Outcome {
    let mut scenario = Scenario::begin(name, app, plan).await?;
    let played = AssertUnwindSafe(body(&mut scenario)).catch_unwind().await;
    scenario.end(played).await
}

/// Plays several scenarios in one test that has the cluster for itself.
///
/// # Errors
/// What `body` says.
pub async fn alone(body: impl AsyncFnOnce() -> Outcome) -> Outcome {
    let _turn = TURNS.write().await;
    body().await
}

impl Scenario {
    /// A namespace with nothing in it yet.
    ///
    /// # Errors
    /// There is no cluster.
    pub async fn begin(name: &str, app: App, plan: Plan) -> Outcome<Self> {
        let client = cluster::connect().await?;
        let namespace = create_namespace(&client, name).await?;
        let wishes = Wishes::new(&app.manifest(), &plan.spec()?);
        let observer = Observer::start(&client, &namespace, wishes, app.replicas);
        let kubectl = Kubectl::new(&namespace);
        Ok(Self { kubectl, app, plan, observer, client, namespace })
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// A client, for what kubectl cannot do.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Tells the observer something.
    pub fn tell(&self, told: &Told) {
        self.observer.tell(told);
    }

    /// Ends the test: what `body` said counts, then what the observer saw. The timeline is told
    /// where either is bad.
    ///
    /// # Errors
    /// What `body` said, or a broken invariant.
    pub async fn end(self, played: Result<Outcome, Box<dyn Any + Send>>) -> Outcome {
        let caught_up = self.observer.catch_up(PATIENCE).await;
        let outcome = match played {
            Ok(outcome) => caught_up.and(outcome),
            Err(panic) => {
                self.tell_story(&Failure::Wrong("a check failed".to_owned()));
                self.clear().await;
                std::panic::resume_unwind(panic);
            }
        };
        if let Err(failure) = &outcome {
            self.tell_story(failure);
        }
        self.clear().await;
        outcome
    }

    #[expect(clippy::print_stderr, reason = "the story of a failed test belongs to its output")]
    fn tell_story(&self, failure: &Failure) {
        let (timeline, view) = self
            .observer
            .look(|sight| (sight.judge.timeline().to_string(), sight.view.to_string()));
        eprintln!("{} in {}: {failure}", failure.kind(), self.namespace);
        eprintln!("what happened:\n{timeline}and so it stands:\n{view}");
    }

    /// Deletes the namespace, without waiting for it, unless KEEP=1 asks to keep it.
    async fn clear(&self) {
        if std::env::var("KEEP").is_ok_and(|keep| keep == "1") {
            return;
        }
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        // A namespace that stays behind is untidy, not wrong.
        let _ = namespaces.delete(&self.namespace, &DeleteParams::default()).await;
    }
}

/// Creates a namespace of its own, whose name begins with `e2e-` and `name`.
///
/// # Errors
/// The cluster does not answer.
pub async fn create_namespace(client: &Client, name: &str) -> Outcome<String> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let metadata =
        ObjectMeta { generate_name: Some(format!("e2e-{name}-")), ..ObjectMeta::default() };
    let wanted = Namespace { metadata, ..Namespace::default() };
    let created = namespaces.create(&PostParams::default(), &wanted).await;
    Ok(created.map_err(Failure::doing("creating the test's namespace"))?.name_any())
}
