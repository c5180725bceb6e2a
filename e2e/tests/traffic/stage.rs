//! A namespace with two versions of the application behind two Services, and loads on it.

use std::env;
use std::path::Path;

use e2e::app::App;
use e2e::cluster;
use e2e::failure::{Failure, Outcome};
use e2e::kubectl::Kubectl;
use e2e::load::{ENTER, Load, Order, Tally};
use e2e::scenario::{PATIENCE, create_namespace};
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::DeleteParams;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

/// The Services, and the versions behind them.
pub const SERVICES: [(&str, &str); 2] = [("web", "v1"), ("web-canary", "v2")];

pub struct Stage {
    pub kubectl: Kubectl,
    pub namespace: String,
}

/// Plays a test with both versions ready, in a namespace of its own that goes afterwards.
pub async fn play(name: &str, body: impl AsyncFnOnce(&Stage) -> Outcome) -> Outcome {
    let client = cluster::connect().await?;
    let namespace = create_namespace(&client, name).await?;
    let stage = Stage { kubectl: Kubectl::new(&namespace), namespace };
    let played = match stage.deploy().await {
        Ok(()) => body(&stage).await,
        failed => failed,
    };
    let namespaces: Api<Namespace> = Api::all(client);
    // A namespace that stays behind is untidy, not wrong.
    let _ = namespaces.delete(&stage.namespace, &DeleteParams::default()).await;
    played
}

/// An address that `make cluster` tells.
pub fn address(name: &str) -> Outcome<String> {
    env::var(name).map_err(|_| Failure::Wrong(format!("{name} is not set: see cluster/README.md")))
}

impl Stage {
    async fn deploy(&self) -> Outcome {
        for (name, version) in SERVICES {
            let app = App { name: name.to_owned(), ..App::new(2).version(version) };
            let ports = json!([{ "port": 80, "targetPort": 8080 }]);
            let service = json!({
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": { "name": name },
                "spec": { "selector": { "app": name }, "ports": ports },
            });
            self.apply(&app.manifest()).await?;
            self.apply(&service).await?;
        }
        for (name, _) in SERVICES {
            let deployment = format!("deployment/{name}");
            self.kubectl.run(&["rollout", "status", &deployment, "--timeout=90s"]).await?;
        }
        Ok(())
    }

    pub async fn apply(&self, manifest: &Value) -> Outcome {
        self.kubectl.feed(&["apply", "-f", "-"], manifest).await.map(drop)
    }

    /// Requests to the gateway for a host of this namespace's own.
    pub fn order(&self) -> Outcome<Order> {
        let url = format!("{}/", address("SLUICE_GATEWAY_URL")?);
        Ok(Order::new(&url).requests(50, 200).header("host", &self.host()))
    }

    pub fn host(&self) -> String {
        format!("{}.example", self.namespace)
    }

    /// Requests to a Service, from where it has an address that answers.
    pub async fn within(&self, service: &str, count: u64) -> Outcome<Tally> {
        let found = self.kubectl.json(&["get", "service", service], None).await?;
        let address = found["spec"]["clusterIP"].as_str().unwrap_or_default();
        let order = Order::new(&format!("http://{address}/")).requests(count, 200);
        let program = Path::new(env!("CARGO_BIN_EXE_load"));
        Load::within(&[ENTER], program, order)?.end().await
    }
}

/// Asks again and again until the answers to a whole order are as they have to be: then the route
/// is in effect.
pub async fn in_effect(order: &Order, wanted: impl Fn(&Tally) -> bool) -> Outcome {
    let began = Instant::now();
    let mut last = Tally::default();
    let asked = async {
        loop {
            last = Load::start(order.clone())?.end().await?;
            if wanted(&last) {
                return Ok(());
            }
        }
    };
    timeout(PATIENCE, asked).await.unwrap_or_else(|_| {
        let seconds = began.elapsed().as_secs();
        Err(Failure::Deadline {
            what: "the route in effect".to_owned(),
            seconds,
            state: last.to_string(),
        })
    })
}

/// All requests of an order succeed, and v2 answers such a percentage of them.
pub async fn check(order: Order, percent: u32) -> Outcome {
    let tally = Load::start(order)?.end().await?;
    let share = tally.share("v2") * 100.0;
    if tally.faults.is_empty() && (share - f64::from(percent)).abs() <= 2.0 {
        return Ok(());
    }
    Err(Failure::Wrong(format!("{percent} % of v2 expected: {tally}")))
}
