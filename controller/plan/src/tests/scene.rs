//! A Rollout and its workload at one moment, set up in a few words.

use crds::IntOrPercent::{self, Count, Percent};
use crds::contract::{FENCE_MIN_READY_SECONDS, FENCE_PROGRESS_DEADLINE_SECONDS};
use crds::hold::Reading;
use crds::request::{Request, Verb};
use crds::rollout::{Batch, OnFailure, Pause, Strategy as Batches, WorkloadRef};
use crds::status::Phase;
use crds::{Fenced, Hold, Original, Revision, RolloutSpec, RolloutStatus, Target};
use gate::history::OnUnknown;
use jiff::{Timestamp, ToSpan};

use crate::action::{Action, Plan, WriteHold};
use crate::observed::{
    Fact, Fields, KeptTemplate, Live, Observed, Pod, RolloutFacts, Set, Sets, Strategy, Trouble,
    Workload,
};
use crate::{lint, plan};

/// The moment of all scenes.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(crate) fn revision(name: &str) -> Revision {
    Revision::from(name)
}

pub(crate) fn batch(replicas: IntOrPercent) -> Batch {
    Batch { replicas, traffic: None, pause: None }
}

pub(crate) fn manual(replicas: IntOrPercent) -> Batch {
    Batch { replicas, traffic: None, pause: Some(Pause { duration: None }) }
}

/// The user's own fields in every scene.
pub(crate) const ORIGINAL: Original = Original {
    paused: false,
    min_ready_seconds: 0,
    progress_deadline_seconds: 600,
    max_surge: Percent(25),
    max_unavailable: Percent(25),
};

/// A scene, changed step by step.
pub(crate) struct Scene {
    pub(crate) seen: Observed,
    pub(crate) now: Timestamp,
}

impl Scene {
    /// Ten pods of v1, armed and at rest; batches of 20 % until promoted, 50 %, 100 %.
    pub(crate) fn at_rest() -> Self {
        let spec = RolloutSpec {
            workload_ref: WorkloadRef {
                api_version: "apps/v1".into(),
                kind: "Deployment".into(),
                name: "web".into(),
            },
            paused: false,
            strategy: Batches {
                batches: vec![manual(Percent(20)), batch(Percent(50)), batch(Percent(100))],
            },
            progress_deadline: None,
            on_failure: OnFailure::Abort,
            gates: Vec::new(),
            on_unknown: OnUnknown::Pause,
            bake: None,
            routes: Vec::new(),
        };
        let rollout = RolloutFacts {
            namespace: "shop".into(),
            name: "web".into(),
            uid: "rollout-uid".into(),
            generation: 3,
            deleting: false,
            has_finalizer: true,
            spec,
            status: RolloutStatus::default(),
            request: None,
            rival: None,
            exempt: false,
            uninstalled: false,
        };
        let workload = Workload {
            uid: "web-uid".into(),
            generation: 7,
            observed_generation: 7,
            replicas: 10,
            armed: true,
            fields: fields(&ORIGINAL),
            hold: Reading::None,
            hold_text: None,
            projected: true,
            revision: revision("v1"),
            sets: Fact::Known(Sets { update: Some(set("v1", 10)), old: Vec::new() }),
        };
        let seen = Observed {
            rollout,
            workload: Fact::Known(workload),
            kept: Fact::Known(Vec::new()),
            unsettled_since: None,
            traffic: Fact::Absent,
            answers: Vec::new(),
        };
        let mut scene = Self { seen, now: now() };
        scene.seen.rollout.status = scene.plan().status;
        scene
    }

    /// v2 has just come and is held; nothing has been planned.
    pub(crate) fn held() -> Self {
        let mut scene = Self::at_rest();
        scene.hold(Fenced::first(revision("v2"), revision("v1"), ORIGINAL));
        scene.sets(Sets { update: None, old: vec![set("v1", 10)] });
        scene
    }

    /// v2 is held, and the status says so.
    pub(crate) fn announced() -> Self {
        let mut scene = Self::held();
        scene.publish();
        scene
    }

    /// Two of ten pods are of v2, in the first batch of three.
    pub(crate) fn in_first_batch() -> Self {
        let mut scene = Self::announced();
        scene.keep("v1");
        let target = Target { paused: false, max_surge: Count(0), max_unavailable: Percent(20) };
        let fenced = Fenced { batch: 1, target, ..scene.fenced() };
        scene.hold(fenced);
        scene.sets(Sets { update: Some(unready("v2", 2)), old: vec![set("v1", 8)] });
        scene.publish();
        scene
    }

    /// The same, and both are ready.
    pub(crate) fn after_first_batch() -> Self {
        let mut scene = Self::in_first_batch();
        scene.sets(Sets { update: Some(set("v2", 2)), old: vec![set("v1", 8)] });
        scene.publish();
        scene
    }

    /// The workload.
    pub(crate) fn workload(&mut self) -> &mut Workload {
        match &mut self.seen.workload {
            Fact::Known(workload) => workload,
            other => panic!("no workload: {other:?}"),
        }
    }

    /// The live fields of the Deployment that it is.
    pub(crate) fn own(&mut self) -> &mut Fields {
        match &mut self.workload().fields {
            Live::Deployment(fields) => fields,
            other => panic!("no deployment: {other:?}"),
        }
    }

    pub(crate) fn status(&mut self) -> &mut RolloutStatus {
        &mut self.seen.rollout.status
    }

    pub(crate) fn sets(&mut self, sets: Sets) {
        self.workload().sets = Fact::Known(sets);
    }

    pub(crate) fn keep(&mut self, name: &str) {
        let kept = KeptTemplate { name: format!("web-{name}"), revision: revision(name) };
        match &mut self.seen.kept {
            Fact::Known(all) => all.push(kept),
            other => *other = Fact::Known(vec![kept]),
        }
    }

    /// Puts a hold on, with the fields that go with it, and its template live.
    pub(crate) fn hold(&mut self, fenced: Fenced) {
        let live = fenced.revision.clone();
        let fields = Live::Deployment(Fields::held(&fenced));
        self.annotate(Some(Hold::fenced(fenced)));
        let workload = self.workload();
        workload.fields = fields;
        workload.revision = live;
    }

    /// Puts any annotation on, and nothing else.
    pub(crate) fn annotate(&mut self, hold: Option<Hold>) {
        let workload = self.workload();
        workload.hold_text = hold.as_ref().map(Hold::to_text);
        workload.hold = hold.map_or(Reading::None, |hold| Reading::Hold(Box::new(hold)));
    }

    /// The fenced hold that is on.
    pub(crate) fn fenced(&mut self) -> Fenced {
        match &self.workload().hold {
            Reading::Hold(hold) => hold.as_fenced().unwrap().clone(),
            other => panic!("not held: {other:?}"),
        }
    }

    pub(crate) fn ask(&mut self, verb: Verb, of: &str, batch: u32) {
        self.seen.rollout.request = Some(Request {
            id: format!("{verb:?}-{of}-{batch}"),
            verb,
            revision: revision(of),
            batch,
            by: Some("alice".into()),
        });
    }

    pub(crate) fn later(&mut self, seconds: i64) {
        self.now = self.now.checked_add(seconds.seconds()).unwrap();
    }

    /// The plan, which is sound.
    pub(crate) fn plan(&self) -> Plan {
        let plan = plan(&self.seen, self.now);
        let faults = lint::check(&self.seen, self.now, &plan);
        assert!(faults.is_empty(), "{faults:#?}");
        plan
    }

    /// Writes the planned status, as often as it changes.
    pub(crate) fn publish(&mut self) -> Plan {
        for _ in 0..5 {
            let plan = self.plan();
            if plan.status == *self.status() {
                return plan;
            }
            *self.status() = plan.status;
        }
        panic!("the status never settles: {:?}", self.seen.rollout.status);
    }
}

/// The live fields of a workload that is not held.
pub(crate) fn fields(original: &Original) -> Live {
    Live::Deployment(Fields::restored(original))
}

/// A ReplicaSet with so many pods, all ready for a minute.
pub(crate) fn set(name: &str, replicas: i32) -> Set {
    let since = now().checked_sub(60.seconds()).unwrap();
    let pod = |number| Pod {
        name: format!("web-{name}-{number}"),
        uid: format!("uid-{name}-{number}"),
        resource_version: "7".into(),
        ready_since: Some(since),
        trouble: None,
    };
    Set {
        pod_hash: name.into(),
        name: format!("web-{name}"),
        uid: format!("{name}-uid"),
        resource_version: "11".into(),
        revision: revision(name),
        replicas,
        min_ready_seconds: 0,
        available: Some(replicas),
        desired: None,
        pods: (0..replicas).map(pod).collect(),
        kept: crate::observed::KeptPods::default(),
    }
}

/// The same with pods that are not ready yet, in a fenced ReplicaSet.
pub(crate) fn unready(name: &str, replicas: i32) -> Set {
    let mut set = set(name, replicas);
    set.available = Some(0);
    set.min_ready_seconds = FENCE_MIN_READY_SECONDS;
    set.pods.iter_mut().for_each(|pod| pod.ready_since = None);
    set
}

/// Its first pod cannot start.
pub(crate) fn troubled(mut set: Set) -> Set {
    set.pods[0].trouble = Some(Trouble {
        container: "app".into(),
        reason: "ImagePullBackOff".into(),
        message: "no such image".into(),
    });
    set
}

/// The fields of a fence that nothing explains.
pub(crate) fn fence() -> Live {
    Live::Deployment(Fields {
        paused: false,
        min_ready_seconds: FENCE_MIN_READY_SECONDS,
        progress_deadline_seconds: FENCE_PROGRESS_DEADLINE_SECONDS,
        strategy: Strategy::RollingUpdate { max_surge: Count(0), max_unavailable: Percent(20) },
    })
}

/// The one write of a hold in a plan.
#[track_caller]
pub(crate) fn written(plan: &Plan) -> WriteHold {
    let holds: Vec<_> = plan.actions.iter().filter_map(hold_of).collect();
    assert_eq!(holds.len(), 1, "{:?}", plan.actions);
    holds[0].clone()
}

fn hold_of(action: &Action) -> Option<&WriteHold> {
    match action {
        Action::WriteHold(write) => Some(write),
        _ => None,
    }
}

/// What is waited for, in a word.
pub(crate) fn waits(plan: &Plan) -> &str {
    plan.status.waiting_for.as_ref().map_or("", |waiting| waiting.reason.as_str())
}

/// Whether a condition is true.
pub(crate) fn is(plan: &Plan, type_: &str) -> bool {
    let conditions = &plan.status.conditions;
    conditions.iter().any(|condition| condition.type_ == type_ && condition.status == "True")
}

/// The words of the plan's Events.
pub(crate) fn turns(plan: &Plan) -> Vec<&'static str> {
    plan.events.iter().map(|turn| turn.reason).collect()
}

#[track_caller]
pub(crate) fn assert_phase(plan: &Plan, phase: Phase, wait: &str) {
    assert_eq!((plan.status.phase, waits(plan)), (phase, wait), "{:?}", plan.status.waiting_for);
}
