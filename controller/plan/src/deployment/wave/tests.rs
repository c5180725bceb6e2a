//! Every interleaving of our writes, the stock controller's steps and readiness, for all small
//! workloads and all limits, with reads as stale as they can be: the user's limits and the batch
//! hold in every state.

use std::collections::HashSet;

use crds::IntOrPercent::{Count as Pods, Percent};
use crds::{IntOrPercent, Original, Target};

use super::{Count, Limits, fields, is_due, share, target};
use crate::batch::Goal;

fn own(surge: IntOrPercent, unavailable: IntOrPercent) -> Original {
    Original {
        paused: false,
        min_ready_seconds: 0,
        progress_deadline_seconds: 600,
        max_surge: surge,
        max_unavailable: unavailable,
    }
}

/// Pods of a fenced Deployment, and the fields that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State {
    goal: usize,
    old: i32,
    new: i32,
    ready: i32,
    /// New pods that are or were ready.
    seen_ready: i32,
    unavailable: i32,
    surge: i32,
}

struct Case {
    replicas: i32,
    original: Original,
    limits: Limits,
    goals: [Goal; 3],
}

impl Case {
    fn write(&self, state: State, goal: Goal, old: i32, ready: i32) -> State {
        let written = if state.goal == 0 { 0 } else { state.unavailable };
        let replicas = self.replicas;
        let count = Count { replicas, ready, new: state.new, old, written };
        let target = target(goal, self.limits, &self.original, count);
        let Target { max_surge, max_unavailable, paused } = target;
        assert!(!paused);
        State {
            unavailable: max_unavailable.floor_of(replicas),
            surge: max_surge.ceil_of(replicas),
            ..state
        }
    }

    /// The stock controller's step on a fenced Deployment: new pods are never available.
    fn stock(&self, state: State) -> State {
        let State { old, new, surge, .. } = state;
        assert!(surge > 0 || state.unavailable > 0, "the API refuses both 0");
        let room = self.replicas + surge - old - new;
        let up = room.min(self.replicas - new).max(0);
        if up > 0 {
            return State { new: new + up, ..state };
        }
        State { old: old.min((self.replicas - state.unavailable).max(0)), ..state }
    }

    fn next(&self, state: State) -> Vec<State> {
        let mut next = vec![self.stock(state)];
        if state.ready < state.new {
            let ready = state.ready + 1;
            next.push(State { ready, seen_ready: state.seen_ready.max(ready), ..state });
        }
        if state.ready > 0 {
            next.push(State { ready: state.ready - 1, ..state });
        }
        // A stale read of readiness may call a batch done that was done a moment ago.
        let done = state.goal > 0
            && state.seen_ready >= self.goals[state.goal - 1].new_pods(self.replicas);
        let index =
            if state.goal == 0 || (done && state.goal < 3) { state.goal + 1 } else { state.goal };
        // Old pods only ever go, so a stale read shows more of them; a stale read of readiness
        // shows any number up to what was ready once.
        for old in state.old..=self.replicas {
            for ready in 0..=state.seen_ready {
                let written = self.write(state, self.goals[index - 1], old, ready);
                next.push(State { goal: index, ..written });
            }
        }
        next
    }

    fn check(&self, state: State) {
        let Self { replicas, limits, .. } = self;
        let context = || format!("N={replicas} {limits:?} {:?}: {state:?}", self.goals);
        let allowed = match state.goal {
            0 => 0,
            goal => self.goals[goal - 1].new_pods(*replicas),
        };
        assert!(state.new <= allowed, "beyond the batch: {}", context());
        assert!(state.old + state.new <= replicas + limits.surge, "too many: {}", context());
        let counted = state.old + state.seen_ready;
        assert!(counted >= replicas - limits.unavailable, "too few: {}", context());
    }

    fn explore(&self) -> usize {
        let start = State {
            goal: 0,
            old: self.replicas,
            new: 0,
            ready: 0,
            seen_ready: 0,
            unavailable: 1,
            surge: 0,
        };
        // Paused before the first write: the stock controller does nothing.
        let first = self.next(start).into_iter().filter(|state| state.goal == 1);
        let mut open: Vec<_> = first.collect();
        let mut seen: HashSet<_> = open.iter().copied().collect();
        while let Some(state) = open.pop() {
            self.check(state);
            open.extend(self.next(state).into_iter().filter(|next| seen.insert(*next)));
        }
        seen.len()
    }

    /// The same without faults: how many writes a release takes, or where it stands still.
    fn run(&self) -> usize {
        let mut state = State {
            goal: 0,
            old: self.replicas,
            new: 0,
            ready: 0,
            seen_ready: 0,
            unavailable: 0,
            surge: 0,
        };
        let mut writes = 0;
        for goal in self.goals {
            let mut opened = false;
            while state.ready < goal.new_pods(self.replicas) {
                let before = state;
                let next = self.write(state, goal, state.old, state.ready);
                if !opened || self.is_due(goal, state, next) {
                    (state, writes) = (State { goal: 1, ..next }, writes + 1);
                }
                opened = true;
                state = self.stock(self.stock(state));
                // What gets ready first is no reason for a write yet.
                for ready in state.ready..state.new {
                    let early = State { ready, ..state };
                    let next = self.write(early, goal, state.old, ready);
                    assert!(!self.is_due(goal, early, next), "{early:?} to {next:?}");
                }
                state.ready = state.new;
                assert!(
                    state != before,
                    "stands still at {goal:?} of {}: {state:?}",
                    self.replicas
                );
            }
        }
        writes
    }

    fn is_due(&self, goal: Goal, now: State, next: State) -> bool {
        let fields = |state: State| fields(state.unavailable, state.surge, self.replicas);
        let State { ready, new, old, unavailable: written, .. } = now;
        let count = Count { replicas: self.replicas, ready, new, old, written };
        is_due(goal, self.limits, count, fields(now), fields(next))
    }

    /// One for every `surge + unavailable` pods of each batch.
    fn writes_max(&self) -> usize {
        let Limits { surge, unavailable } = self.limits;
        let ends = self.goals.map(|goal| goal.new_pods(self.replicas));
        let begins = [0, ends[0], ends[1]];
        let wave = surge + unavailable;
        let waves = |(begin, end): (i32, i32)| (end - begin + wave - 1).div_euclid(wave);
        begins.into_iter().zip(ends).map(waves).map(|waves| usize::try_from(waves).unwrap()).sum()
    }
}

fn cases(most: i32) -> impl Iterator<Item = Case> {
    let limits = |replicas: i32| {
        (0..=replicas).flat_map(move |surge| {
            (0..=replicas).filter(move |u| surge + u > 0).map(move |u| (surge, u))
        })
    };
    (2..=most).flat_map(move |replicas| {
        limits(replicas).flat_map(move |(surge, unavailable)| {
            let original = own(Pods(surge), Pods(unavailable));
            let limits = Limits::of(&original, replicas);
            let shares = (1..replicas).flat_map(move |k| (k..replicas).map(move |l| (k, l)));
            shares.map(move |(k, l)| Case {
                replicas,
                original,
                limits,
                goals: [Goal::Share(k), Goal::Share(l), Goal::All],
            })
        })
    })
}

#[test]
fn no_interleaving_and_no_stale_read_breaks_the_batch_or_the_limits() {
    let states: usize = cases(4).map(|case| case.explore()).sum();
    assert!(states > 10_000, "explored {states}");
}

#[test]
fn without_faults_every_release_ends_in_a_write_a_wave() {
    for case in cases(8) {
        let (writes, most) = (case.run(), case.writes_max());
        assert!(writes <= most, "{writes} writes, not {most}: {:?}", case.goals);
    }
}

#[test]
fn the_default_strategy_takes_one_write_a_batch() {
    let original = own(Percent(25), Percent(25));
    let limits = Limits::of(&original, 10);
    assert_eq!(limits, Limits { surge: 3, unavailable: 2 });
    let count = |ready, old, written| Count { replicas: 10, ready, new: ready, old, written };
    // Pods that are ready, and the surge and unavailable that the batch before has left.
    for (goal, (ready, gone), (surge, unavailable)) in [
        (Goal::Share(2), (0, 0), (2, 0)),
        (Goal::Share(4), (2, 0), (3, 1)),
        (Goal::Share(6), (4, 1), (3, 3)),
        (Goal::Share(8), (6, 3), (3, 5)),
        (Goal::All, (8, 5), (3, 7)),
    ] {
        let now = target(goal, limits, &original, count(ready, 10 - gone, gone));
        assert_eq!((now.max_surge, now.max_unavailable), (Pods(surge), share(unavailable, 10)));
        // Nothing is due before all of the batch is ready; a pause brings one write more.
        let ready = surge + unavailable;
        let early = count(ready - 1, 10 - unavailable, unavailable);
        let next = target(goal, limits, &original, early);
        assert!(!is_due(goal, limits, early, now, next));
        let rest = target(goal, limits, &original, count(ready, 10 - unavailable, unavailable));
        assert_eq!((rest.max_surge, rest.max_unavailable), (Pods(0), share(ready, 10)));
    }
}

#[test]
fn limits_are_rounded_as_the_stock_controller_rounds_them() {
    let limits = |s, u, n| {
        let Limits { surge, unavailable } = Limits::of(&own(s, u), n);
        (surge, unavailable)
    };
    assert_eq!(limits(Percent(25), Percent(25), 10), (3, 2));
    assert_eq!(limits(Percent(25), Percent(25), 1), (1, 0));
    assert_eq!(limits(Pods(0), Percent(20), 4), (0, 1), "both would be 0");
    assert_eq!(limits(Pods(0), Pods(5), 3), (0, 3), "no more than there are");
    assert_eq!(limits(Percent(100), Pods(0), 7), (7, 0));
}

#[test]
fn a_share_is_a_percentage_wherever_that_gives_it_back() {
    for replicas in 1..=300 {
        for pods in 1..=replicas {
            let form = share(pods, replicas);
            assert_eq!(form.floor_of(replicas), pods, "{form} of {replicas}");
            if replicas <= 100 {
                assert!(matches!(form, Percent(_)), "{pods} of {replicas} is {form}");
            }
        }
    }
    assert_eq!(share(1, 201), Pods(1));
}

#[test]
fn unavailable_never_falls_inside_a_batch() {
    let original = own(Percent(50), Pods(0));
    let limits = Limits::of(&original, 10);
    // 5 new pods were ready, three are not any more, and the read of the old ones is stale.
    let count = Count { replicas: 10, ready: 2, new: 5, old: 8, written: 4 };
    let fields = target(Goal::Share(5), limits, &original, count);
    assert_eq!((fields.max_surge, fields.max_unavailable), (Pods(1), Percent(40)));
}

#[test]
fn what_scaling_left_beyond_the_batch_gets_the_resting_form() {
    let original = own(Percent(25), Percent(25));
    let limits = Limits::of(&original, 10);
    for count in [
        Count { replicas: 10, ready: 10, new: 10, old: 0, written: 2 },
        Count { replicas: 10, ready: 2, new: 2, old: 8, written: 5 },
    ] {
        let fields = target(Goal::Share(2), limits, &original, count);
        assert_eq!((fields.max_surge, fields.max_unavailable), (Pods(0), Percent(20)));
    }
}

#[test]
fn one_replica_is_held_beside_or_by_pausing() {
    let count = Count { replicas: 1, ready: 0, new: 0, old: 1, written: 0 };
    let original = own(Percent(25), Percent(25));
    let beside = target(Goal::Beside, Limits::of(&original, 1), &original, count);
    assert_eq!(beside, Target { paused: false, max_surge: Pods(1), max_unavailable: Pods(0) });
    let original = own(Pods(0), Pods(1));
    let shut = target(Goal::Shut, Limits::of(&original, 1), &original, count);
    assert_eq!(shut, Target { paused: true, max_surge: Pods(0), max_unavailable: Pods(1) });
}
