//! A model of scheduler and kubelet: pods start after a while, get ready or not, lose readiness,
//! terminate after a grace period. Owns what each version of the application does.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crds::Revision;

use crate::observed::Trouble;
use crate::sim::cluster::Cluster;
use crate::sim::cluster::objects::Pod;
use crate::sim::moment::Moment;
use crate::sim::random::Random;

/// How the pods of a version behave.
#[derive(Clone, Debug, PartialEq)]
pub struct Behaviour {
    /// From creation to Ready: at least, and at most.
    pub start: (Duration, Duration),
    /// They never get ready; the container says why.
    pub broken: Option<String>,
    /// They lose readiness after so long, get it back a quarter of that later, and so on for
    /// their first minutes.
    pub flapping: Option<Duration>,
}

impl Default for Behaviour {
    fn default() -> Self {
        let start = (Duration::from_millis(900), Duration::from_millis(1100));
        Self { start, broken: None, flapping: None }
    }
}

/// A flapping pod calms down in the end: later than any deadline in a story, so that a release
/// cannot wait for it, and early enough that a story comes to rest.
const FLAPPING_MAX: Duration = Duration::from_secs(20 * 60);

/// Something that the kubelet will do to a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Its containers start.
    Start,
    /// Its readiness probe succeeds.
    Ready,
    /// Its readiness probe fails.
    Unready,
    /// It is removed after its grace period.
    Gone,
}

/// A pod: names come again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub name: Rc<str>,
    pub uid: Rc<str>,
}

impl Target {
    /// This one.
    pub fn of(pod: &Pod) -> Self {
        Self { name: Rc::clone(&pod.meta.name), uid: Rc::clone(&pod.meta.uid) }
    }

    /// It has not been removed.
    pub fn is_there(&self, cluster: &Cluster) -> bool {
        cluster.pods.get(&self.name).is_some_and(|pod| pod.meta.uid == self.uid)
    }
}

/// The kubelets of all nodes.
pub struct Kubelet {
    behaviours: BTreeMap<Revision, Behaviour>,
    /// uid of every pod that it has taken note of, and whether that one is going.
    going: BTreeMap<Rc<str>, bool>,
    random: Random,
}

impl Kubelet {
    /// A kubelet that draws its delays from `random`.
    pub fn new(random: Random) -> Self {
        Self { behaviours: BTreeMap::new(), going: BTreeMap::new(), random }
    }

    /// Says how pods of a revision behave from now on.
    pub fn set(&mut self, revision: &Revision, behaviour: Behaviour) {
        self.behaviours.insert(revision.clone(), behaviour);
    }

    /// How pods of a revision behave.
    pub fn behaviour(&self, revision: &Revision) -> Behaviour {
        self.behaviours.get(revision).cloned().unwrap_or_default()
    }

    /// What follows from a pod's change, and when.
    pub fn note(&mut self, pod: &Pod, now: Moment) -> Option<(Moment, Turn)> {
        let going = pod.meta.deleting;
        if self.going.insert(Rc::clone(&pod.meta.uid), going) == Some(going) {
            return None;
        }
        Some(if going {
            (now + self.random.millis(200, 1500), Turn::Gone)
        } else {
            (now + self.random.millis(20, 100), Turn::Start)
        })
    }

    /// Does it; answers what follows and when.
    pub fn act(
        &mut self,
        cluster: &mut Cluster,
        target: &Target,
        turn: &Turn,
    ) -> Option<(Moment, Turn)> {
        let name = &target.name;
        let pod = cluster.pods.get(name).filter(|pod| pod.meta.uid == target.uid)?.clone();
        if pod.node.as_ref().is_some_and(|node| cluster.nodes.get(node).is_none()) {
            return None;
        }
        let behaviour = self.behaviour(&pod.revision);
        match turn {
            Turn::Gone => {
                cluster.remove_pod(name);
                None
            }
            Turn::Start => {
                cluster.update_pod(name, |pod| {
                    pod.running = behaviour.broken.is_none();
                    pod.trouble = behaviour.broken.as_deref().map(trouble);
                });
                let (low, high) = behaviour.start;
                let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(0);
                let ready = pod.meta.created.max(cluster.now)
                    + self.random.millis(millis(low), millis(high));
                behaviour.broken.is_none().then_some((ready, Turn::Ready))
            }
            Turn::Ready => {
                set_ready(cluster, name, behaviour.broken.is_none());
                let young = cluster.now - pod.meta.created < FLAPPING_MAX;
                let flapping = behaviour.flapping.filter(|_| young);
                flapping.map(|span| (cluster.now + span, Turn::Unready))
            }
            Turn::Unready => {
                set_ready(cluster, name, false);
                let span = behaviour.flapping.unwrap_or_default();
                Some((cluster.now + span / 4, Turn::Ready))
            }
        }
    }
}

/// Turns a pod's Ready condition.
pub fn set_ready(cluster: &mut Cluster, name: &str, ready: bool) {
    let now = cluster.now.whole_second();
    cluster.update_pod(name, |pod| match (ready, pod.ready_since) {
        (true, None) if !pod.meta.deleting => {
            pod.running = true;
            pod.trouble = None;
            pod.ready_since = Some(now);
        }
        (false, Some(_)) => pod.ready_since = None,
        _ => {}
    });
}

fn trouble(reason: &str) -> Trouble {
    Trouble {
        container: "app".to_owned(),
        reason: reason.to_owned(),
        message: format!("{reason}: the model's kubelet was told so"),
    }
}
