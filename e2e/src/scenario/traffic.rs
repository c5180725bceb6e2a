//! Requests to the Deployment `web`, as its users send them: through a NodePort, from this machine.

use std::time::Duration;

use serde_json::json;

use super::Scenario;
use crate::failure::{Failure, Outcome};
use crate::load::{Load, Order};

/// No test takes longer.
const TIME: Duration = Duration::from_mins(5);

impl Scenario {
    /// Puts so many requests a second on the Deployment, each on a connection of its own, so that
    /// every pod gets its share.
    ///
    /// # Errors
    /// There is no way to it.
    pub async fn under_load(&self, rate: u32) -> Outcome<Load> {
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
            "spec": {
                "type": "NodePort", "selector": {"app": "web"},
                "ports": [{"port": 80, "targetPort": 8080}],
            },
        });
        self.kubectl.feed(&["apply", "-f", "-"], &service).await?;
        let live = self.kubectl.json(&["get", "service", "web"], None).await?;
        let port = &live["spec"]["ports"][0]["nodePort"];
        // Nodes of kwok have addresses too, and nothing that answers at them.
        let nodes = self.kubectl.json(&["get", "nodes", "-l", "type!=kwok"], None).await?;
        let node = &nodes["items"][0]["status"]["addresses"][0]["address"];
        let node = node.as_str().ok_or_else(|| Failure::Wrong(format!("no node: {nodes}")))?;
        let order = Order::new(&format!("http://{node}:{port}/")).new_connections();
        let mut order = order.requests(TIME.as_secs() * u64::from(rate), rate);
        order.time = TIME;
        Load::start(order)
    }
}
