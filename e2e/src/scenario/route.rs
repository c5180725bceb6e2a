//! Requests that come through a Gateway: the user's Service, HTTPRoute or Ingress, and loads on
//! them.

use std::env;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{PATIENCE, Scenario};
use crate::failure::{Failure, Outcome, ensure};
use crate::load::{Load, Order, Tally};

/// No test takes longer.
const TIME: Duration = Duration::from_mins(5);
/// Points by which a share of requests may differ from what is wanted.
const TOLERANCE: f64 = 2.0;

impl Scenario {
    /// The user's HTTPRoute, as their manifest has it.
    #[must_use]
    pub fn route(&self) -> Value {
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": "web"},
            "spec": {
                "parentRefs": [{"name": "sluice", "namespace": "traefik"}],
                "hostnames": [self.host()],
                "rules": [{"backendRefs": [{"name": "web", "port": 80}]}],
            },
        })
    }

    /// The user's Ingress, as their manifest has it.
    #[must_use]
    pub fn ingress(&self) -> Value {
        let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
        let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
        json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {
                "name": "web",
                // What a GitOps tool tells its own objects by.
                "labels": {"app.kubernetes.io/instance": "shop"},
                "annotations": {"nginx.ingress.kubernetes.io/ssl-redirect": "false"},
            },
            "spec": {
                "ingressClassName": "nginx",
                "rules": [{"host": self.host(), "http": {"paths": paths}}],
            },
        })
    }

    fn host(&self) -> String {
        format!("{}.example", self.namespace())
    }

    /// So many requests through the Gateway.
    ///
    /// # Errors
    /// There is none.
    pub fn requests(&self, count: u64, rate: u32) -> Outcome<Order> {
        let url = env::var("SLUICE_GATEWAY_URL")
            .map_err(|_| Failure::Wrong("SLUICE_GATEWAY_URL is not set".to_owned()))?;
        let mut order = Order::new(&format!("{url}/")).requests(count, rate);
        order.time = TIME;
        Ok(order.header("host", &self.host()))
    }

    /// Creates the user's Service and this route or Ingress, and waits until requests come through.
    ///
    /// # Errors
    /// They do not.
    pub async fn is_routed_by(&self, route: &Value) -> Outcome {
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
        });
        for manifest in [&service, route] {
            self.kubectl.feed(&["apply", "-f", "-"], manifest).await?;
        }
        let through = async {
            loop {
                let tally = Load::start(self.requests(20, 100)?)?.end().await?;
                if tally.faults.is_empty() {
                    return Ok(());
                }
            }
        };
        timeout(PATIENCE, through).await.unwrap_or_else(|_| {
            Err(Failure::Wrong("no request came through the Gateway".to_owned()))
        })
    }

    /// Requests from now on, on kept connections and on new ones.
    ///
    /// # Errors
    /// There is no Gateway.
    pub fn loads(&self, rate: u32) -> Outcome<[Load; 2]> {
        let count = TIME.as_secs() * u64::from(rate);
        let kept = Load::start(self.requests(count, rate)?)?;
        let new = Load::start(self.requests(count, rate)?.new_connections())?;
        Ok([kept, new])
    }

    /// A version answers such a percentage of the requests.
    ///
    /// # Errors
    /// It does not, or a request failed.
    pub async fn answers(&self, version: &str, percent: f64, order: Order) -> Outcome {
        let tally = Load::start(order)?.end().await?;
        let share = tally.share(version) * 100.0;
        ensure(tally.faults.is_empty() && (share - percent).abs() <= TOLERANCE, || {
            format!("{percent} % of {version} wanted: {tally}")
        })
    }

    /// The route or Ingress is the user's own again, and nothing of ours is beside it.
    ///
    /// # Errors
    /// It is not so.
    pub async fn gives_back(&self, manifest: &Value) -> Outcome {
        self.diff_is_empty(manifest).await?;
        let kind = manifest["kind"].as_str().unwrap_or_default().to_lowercase();
        let live = self.kubectl.json(&["get", &kind, "web"], None).await?;
        let text =
            live["metadata"]["annotations"].to_string() + &live["metadata"]["labels"].to_string();
        ensure(!text.contains("sluice.dev/"), || format!("left on the route: {text}"))?;
        let args = ["get", "services,ingresses", "-l", "sluice.dev/rollout"];
        let ours = self.kubectl.json(&args, None).await?;
        let left = ours["items"].as_array().is_none_or(Vec::is_empty);
        ensure(left, || format!("left behind: {ours}"))
    }

    /// The canary Ingresses of ours.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub async fn canaries(&self) -> Outcome<Vec<Value>> {
        let args = ["get", "ingresses", "-l", "sluice.dev/revision"];
        let list = self.kubectl.json(&args, None).await?;
        Ok(list["items"].as_array().cloned().unwrap_or_default())
    }
}

/// No request failed.
///
/// # Errors
/// Those that did.
pub fn none_failed(tallies: &[Tally]) -> Outcome {
    for tally in tallies {
        ensure(tally.faults.is_empty() && tally.total() > 0, || tally.to_string())?;
    }
    Ok(())
}
