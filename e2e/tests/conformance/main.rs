//! The simulator's models of the stock controllers against the real ones: random lives of a
//! Deployment, the same writes to both, and the same ReplicaSets at every point where nothing moves
//! any more. Everything that the planner's tests prove rests on these models.
//!
//! No Sluice has a part in it: the Deployments are not armed. No node has one either: the pods are
//! for a scheduler that is not there, and this test says of each that it is ready, so that
//! thousands of them cost seconds.

mod kubelet;
mod life;
mod stage;

use e2e::cluster;
use e2e::failure::{Outcome, ensure};
use e2e::scenario::create_namespace;
use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::DeleteParams;
use plan::sim::conformance::Life;

use stage::Stage;

const LIVES: usize = 200;
/// At the same time; the machine has two cores.
const TOGETHER: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_models_settle_where_the_real_controllers_do() -> Outcome {
    let client = cluster::connect().await?;
    let namespace = create_namespace(&client, "conformance").await?;
    let kubelet = kubelet::start(Api::namespaced(client.clone(), &namespace));
    let stage = Stage::new(&client, &namespace);
    let lives = Life::certain().take(LIVES);
    let played = stream::iter(lives).map(|(life, course)| life::play(&stage, life, course));
    let differing: Vec<String> =
        played.buffer_unordered(TOGETHER).filter_map(async |outcome| outcome.err()).collect().await;
    drop(kubelet);
    let namespaces: Api<Namespace> = Api::all(client);
    // A namespace that stays behind is untidy, not wrong.
    let _ = namespaces.delete(&namespace, &DeleteParams::default()).await;
    ensure(differing.is_empty(), || {
        format!("{} of {LIVES} lives differ:\n{}", differing.len(), differing.join("\n"))
    })
}
