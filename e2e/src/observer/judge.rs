//! Judges every event by the invariants. Pure: the moments are given to it, and it does no IO.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::census::{Census, Pod, Role};
use super::course::{Course, Release};
use super::moves::{Moved, Moves};
use super::requests::{Requests, Traffic};
use super::seen::{PodSeen, SetSeen};
use super::timeline::Timeline;
use super::{Sighting, Told, Wishes};

/// The rules of the design, section 4, that every event is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// No pod of a new revision beyond the batch, and none before the first.
    Batch,
    /// No stable pod taken away beyond the batch.
    Stable,
    /// Never more than the user's maxUnavailable unavailable.
    Unavailable,
    /// Never more pods than replicas + maxSurge.
    Surge,
    /// The spec moves only as often as the release needs, and the template never to and fro.
    Flap,
    /// Nobody but the test scales.
    Replicas,
    /// No requests to a Service without ready endpoints.
    Requests,
}

/// A rule was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// How, with the numbers.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.detail)
    }
}

/// The judge of one Deployment and its pods.
#[derive(Debug)]
pub struct Judge {
    wishes: Wishes,
    replicas: i32,
    /// Replicas whose readiness is owed: a scale-up has to have come up once.
    owed: i32,
    /// Replicas that the number of pods is measured by: a scale-down has to have come through.
    ceiling: i32,
    /// Pods of the update that scaling may leave at once, until the test says that it is through.
    scaling: Option<i32>,
    course: Course,
    pods: BTreeMap<String, Pod>,
    sets: BTreeMap<String, SetSeen>,
    moves: Moves,
    requests: Requests,
    /// Pods that the test is about to end.
    to_excuse: BTreeSet<String>,
    /// Ready pods that are missing for reasons of their own.
    excused_ready: i32,
    /// Stable pods that are missing for reasons of their own.
    excused_stable: i32,
    counts: String,
    now: Duration,
    timeline: Timeline,
    violation: Option<Violation>,
}

impl Judge {
    /// A judge of a Deployment with so many replicas, whose pods are still to come or have come.
    #[must_use]
    pub fn new(wishes: Wishes, replicas: i32) -> Self {
        Self {
            wishes,
            replicas,
            owed: 0,
            ceiling: replicas,
            scaling: None,
            course: Course::Rest(None),
            pods: BTreeMap::new(),
            sets: BTreeMap::new(),
            moves: Moves::new(replicas),
            requests: Requests::default(),
            to_excuse: BTreeSet::new(),
            excused_ready: 0,
            excused_stable: 0,
            counts: String::new(),
            now: Duration::ZERO,
            timeline: Timeline::default(),
            violation: None,
        }
    }

    /// The first rule that was broken.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// What happened so far.
    #[must_use]
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// What a revision is to the release.
    #[must_use]
    pub fn role(&self, hash: &str) -> Role {
        self.course.role(hash)
    }

    /// The user's wishes.
    #[must_use]
    pub fn wishes(&self) -> &Wishes {
        &self.wishes
    }

    /// The replicas as the test told them.
    #[must_use]
    pub fn replicas(&self) -> i32 {
        self.replicas
    }

    /// The batch that the release may be in, 1 for the first; None at rest.
    #[must_use]
    pub fn batch(&self) -> Option<usize> {
        match &self.course {
            Course::Rest(_) => None,
            Course::Release(release) => Some(release.batch + 1),
        }
    }

    /// Pods of the update that the batch which the release may be in allows.
    #[must_use]
    pub fn allowed(&self) -> i32 {
        match &self.course {
            Course::Rest(_) => 0,
            Course::Release(release) if release.held => 0,
            Course::Release(release) => self.wishes.allowed(release.batch, self.replicas),
        }
    }

    /// Judges an event that arrived `now`.
    pub fn see(&mut self, now: Duration, sighting: Sighting) {
        self.now = self.now.max(now);
        self.advance();
        let before = self.census();
        match sighting {
            Sighting::Deployment(seen) => {
                let Some(Moved { line, turned, broken }) = self.moves.see(&seen) else { return };
                self.line(line);
                broken.into_iter().for_each(|violation| self.broken(violation));
                if turned {
                    self.change(Release::left);
                }
            }
            Sighting::DeploymentGone => self.line("deployment gone"),
            Sighting::Traffic(traffic) => return self.see_traffic(traffic),
            Sighting::Set(set) => self.see_set(set),
            Sighting::SetGone(name) => {
                self.sets.remove(&name);
                self.line(format!("replicaset {name} gone"));
            }
            Sighting::Pod(pod) => self.see_pod(pod),
            Sighting::PodGone(name) => {
                self.ends(&name);
                if self.pods.remove(&name).is_some() {
                    self.line(format!("pod {name} gone"));
                }
            }
        }
        self.settle();
        self.advance();
        let census = self.census();
        self.judge_totals(&before, &census);
        self.judge_new(&before, &census);
        self.judge_stable(&census);
        self.print(&census);
    }

    fn see_set(&mut self, seen: SetSeen) {
        let last = self.sets.insert(seen.name.clone(), seen.clone());
        let was = last.as_ref().map_or(0, |set| set.replicas);
        if last.is_some() && was == seen.replicas {
            return;
        }
        let SetSeen { name, hash, replicas } = seen;
        let role = self.role(&hash);
        self.line(format!("replicaset {name} ({role}): {was} -> {replicas}"));
        let limit = self.limit(&hash).max(was);
        if replicas > limit {
            self.breaks(Rule::Batch, format!("{name} wants {replicas} pods, allowed {limit}"));
        }
        let (most, all) = (self.most(), self.sets.values().map(|set| set.replicas).sum::<i32>());
        if replicas > was && all > most {
            self.breaks(Rule::Surge, format!("replicasets want {all} pods, allowed {most}"));
        }
    }

    fn see_traffic(&mut self, seen: Traffic) {
        let (news, vain) = self.requests.see(seen);
        news.into_iter().for_each(|line| self.line(line));
        // Where nothing is to run nobody can answer.
        if let Some(vain) = vain.filter(|_| self.replicas > 0) {
            self.breaks(Rule::Requests, vain);
        }
    }

    fn see_pod(&mut self, seen: PodSeen) {
        let name = seen.name.clone();
        // The first pod of all shows the stable revision.
        if let Course::Rest(stable @ None) = &mut self.course
            && !seen.ending
        {
            *stable = Some(seen.hash.clone());
        }
        let role = self.role(&seen.hash);
        if let Some(news) = Pod::news(self.pods.get(&name), &seen) {
            self.line(format!("pod {name} ({role}) {news}"));
        }
        if seen.ending {
            self.ends(&name);
        } else if role == Role::Stable && !self.pods.contains_key(&name) {
            self.excused_stable = (self.excused_stable - 1).max(0);
        }
        let pod = Pod::after(self.pods.get(&name), seen, self.now);
        self.pods.insert(name, pod);
    }

    /// A pod is about to count no more: one that had lost readiness, or that the test ends, is
    /// nobody's fault.
    fn ends(&mut self, name: &str) {
        let Some(pod) = self.pods.get(name).filter(|pod| pod.lives()) else { return };
        let (lost, stable) = (pod.lost(), self.role(&pod.seen.hash) == Role::Stable);
        let told = self.to_excuse.remove(name);
        self.excused_ready += i32::from(lost || told);
        self.excused_stable += i32::from((lost || told) && stable);
    }

    /// What came through: scalings, and the readiness that is owed.
    fn settle(&mut self) {
        let (census, n) = (self.census(), self.replicas);
        if census.ready >= self.floor(n) && census.total() >= n {
            self.owed = n;
        }
        if census.ready >= self.floor(self.owed) {
            self.excused_ready = 0;
        }
        if census.total() > n + self.wishes.surge_of(n) {
            return;
        }
        self.ceiling = n;
    }

    /// The share is kept and what was beyond it was moved back: the batch counts again.
    fn scaled(&mut self) {
        if self.scaling.take().is_none() {
            return;
        }
        let (allowed, update) = (self.allowed(), self.census().update);
        if update > allowed {
            let detail = format!("{update} pods of the update at rest again, allowed {allowed}");
            self.breaks(Rule::Batch, detail);
        }
        if let Some(release) = self.course.release()
            && release.given_up.is_empty()
        {
            release.high = allowed;
        }
    }

    /// Ready pods that are owed of so many replicas.
    fn floor(&self, replicas: i32) -> i32 {
        replicas - self.wishes.unavailable_of(replicas)
    }

    fn advance(&mut self) {
        let (wishes, replicas, now) = (&self.wishes, self.replicas, self.now);
        let update = ready_since(&self.pods, |hash| self.course.role(hash) == Role::Update);
        let pods = &self.pods;
        let Some(release) = self.course.release() else { return };
        let of = |revisions: &[String]| ready_since(pods, |hash| revisions.contains(hash));
        release.advance_leaving(wishes, replicas, of, now);
        if release.is_open() {
            release.advance(wishes, replicas, &update, now);
            release.high = release.high.max(wishes.allowed(release.batch, replicas));
        }
    }

    /// Pods that a revision may have at this moment.
    fn limit(&self, hash: &str) -> i32 {
        match (&self.course, self.role(hash)) {
            (_, Role::Stable) => i32::MAX,
            (Course::Release(release), Role::GivenUp) => release.given_up[hash],
            (_, Role::Update | Role::GivenUp) => self.update_limit(),
        }
    }

    fn update_limit(&self) -> i32 {
        let allowed = self.allowed();
        self.scaling.map_or(allowed, |limit| limit.max(allowed))
    }

    fn judge_totals(&mut self, before: &Census, census: &Census) {
        let (most, total, was) = (self.most(), self.lasting(census), self.lasting(before));
        if total > most && total > was {
            self.breaks(Rule::Surge, format!("{total} pods, allowed {most}"));
        }
        let owed = self.owed.min(self.replicas);
        // Scaled so far down that the share of a held batch is no whole pod, the stock controller
        // takes one all the same.
        let spare = self.scaling.is_some() && self.wishes.unavailable_of(owed) == 0;
        let floor = self.floor(owed) - i32::from(spare);
        let ready = census.ready + census.lost + self.excused_ready;
        if ready < floor {
            let detail = format!("{ready} pods ready or lost by themselves, {floor} are owed");
            self.breaks(Rule::Unavailable, detail);
        }
    }

    /// Pods of all revisions that the user allows.
    fn most(&self) -> i32 {
        let n = self.ceiling.max(self.replicas);
        // Where no surge is allowed, moving pods back after a scaling needs one for a moment.
        let (surge, unavailable) = (self.wishes.surge_of(n), self.wishes.unavailable_of(n));
        n + if surge == 0 && self.scaling.is_some() { unavailable } else { surge }
    }

    /// Pods that are there to stay. A ReplicaSet takes its pods away a moment after its size was
    /// lowered, while another one already fills the place.
    fn lasting(&self, census: &Census) -> i32 {
        census.by_hash.iter().map(|(hash, live)| self.staying(hash, *live)).sum()
    }

    fn lasting_new(&self, census: &Census) -> i32 {
        let new = census.by_hash.iter().filter(|(hash, _)| self.role(hash) != Role::Stable);
        new.map(|(hash, live)| self.staying(hash, *live)).sum()
    }

    fn staying(&self, hash: &str, live: i32) -> i32 {
        let set = self.sets.values().find(|set| set.hash == hash);
        set.map_or(live, |set| live.min(set.replicas))
    }

    fn judge_new(&mut self, before: &Census, census: &Census) {
        let limit = self.update_limit();
        if census.update > limit && census.update > before.update {
            let detail = format!("{} pods of the update, allowed {limit}", census.update);
            self.breaks(Rule::Batch, detail);
        }
        for (hash, count) in &census.given_up {
            let (most, was) = (self.limit(hash), before.given_up.get(hash).copied());
            if *count > most && *count > was.unwrap_or(0) {
                let detail = format!("{count} pods of {hash}, given up with {most}");
                self.breaks(Rule::Batch, detail);
            }
        }
        let Course::Release(release) = &self.course else { return };
        // A revision may take the place of a given-up one by way of the user's surge.
        let high = release.high + self.wishes.surge_of(self.replicas);
        let (new, was) = (self.lasting_new(census), self.lasting_new(before));
        if self.scaling.is_none() && new > high && new > was {
            let detail = format!("{new} pods of all new revisions, allowed {high}");
            self.breaks(Rule::Batch, detail);
        }
    }

    /// No stable pod goes before the batch lets it go.
    fn judge_stable(&mut self, census: &Census) {
        let n = self.replicas;
        if self.scaling.is_some() || self.owed != n {
            return;
        }
        let floor = match &self.course {
            Course::Rest(None) => 0,
            Course::Rest(Some(_)) => n,
            Course::Release(release) if self.wishes.is_last(release.batch) => 0,
            Course::Release(release) if release.high >= n && n > 1 => 0,
            // The only pod stays, unless a scaling took it.
            Course::Release(release) if n == 1 && !release.scaled => 1,
            Course::Release(release) => n - release.high,
        };
        let stable = census.stable + self.excused_stable;
        if stable < floor {
            self.breaks(Rule::Stable, format!("{stable} stable pods, {floor} have to stay"));
        }
    }

    /// Takes in what the test says.
    pub fn tell(&mut self, now: Duration, told: &Told) {
        self.now = self.now.max(now);
        self.advance();
        self.line(format!("TEST {told}"));
        match told {
            Told::Begin => self.begin(),
            Told::Promote { batch } => self.change(|release| release.promote(*batch)),
            Told::PromoteFull => self.change(Release::promote_full),
            Told::Held => self.change(|release| release.held = true),
            Told::Paused => self.change(|release| release.paused = true),
            Told::Resume => self.change(Release::resume),
            Told::Wishes(wishes) => self.wishes.clone_from(wishes),
            Told::Return => self.give_up(),
            Told::MayReturn => self.moves.allow_template(),
            Told::Scale { replicas } => self.scale(*replicas),
            Told::Excuse { pods } => self.to_excuse.extend(pods.iter().cloned()),
            Told::Edit | Told::Thaw => {}
            Told::Freeze => return self.moves.freeze(),
            Told::Rested => return self.scaled(),
            Told::Settled => return self.rest(),
            Told::Note(_) => return,
        }
        self.moves.allow_some();
    }

    fn change(&mut self, change: impl FnOnce(&mut Release)) {
        if let Some(release) = self.course.release() {
            change(release);
        }
    }

    fn begin(&mut self) {
        self.moves.allow_release(self.wishes.batches.len(), self.replicas);
        if self.replicas == 0 {
            // Nothing runs, so there is nothing to be careful with: whatever comes is stable.
            self.course = Course::Rest(None);
            return;
        }
        let (news, allowed) = (self.news(), self.update_limit());
        self.course.begin(&news, allowed, self.now);
    }

    fn give_up(&mut self) {
        self.moves.allow_template();
        let (news, allowed) = (self.news(), self.update_limit());
        self.change(|release| release.turn_back(&news, allowed));
    }

    /// Revisions of the release that have pods or are about to have some.
    fn news(&self) -> Vec<String> {
        let pods = self.pods.values().map(|pod| &pod.seen.hash);
        let sets = self.sets.values().filter(|set| set.replicas > 0).map(|set| &set.hash);
        let all: BTreeSet<&String> = pods.chain(sets).collect();
        all.into_iter().filter(|hash| self.role(hash) == Role::Update).cloned().collect()
    }

    fn scale(&mut self, to: i32) {
        // The stock controller may be about to fill the batch.
        let from = self.replicas;
        let last = self.scaling.filter(|_| from > 0).unwrap_or(0);
        let running = self.census().update.max(self.allowed()).max(last);
        self.moves.allow_replicas(to);
        self.replicas = to;
        self.owed = self.owed.min(to);
        self.ceiling = self.ceiling.max(to);
        let Some(release) = self.course.release() else { return };
        let limit = self.wishes.allowed_in_scaling(release.batch, running, from, to).max(last);
        self.scaling = Some(limit);
        release.high = release.high.max(limit);
        release.scaled = true;
        if to == 0 || from == 0 {
            release.restart(self.now);
            self.moves.allow_template();
        }
        // The only pod may be replaced before anybody can say that it must stay; where no surge
        // is allowed it can come back only with its template.
        if to == 1 && self.wishes.surge_of(1) == 0 {
            self.moves.allow_template();
            self.moves.allow_template();
        }
    }

    fn rest(&mut self) {
        let live = self.pods.values().filter(|pod| pod.lives());
        let hashes: BTreeSet<&String> = live.map(|pod| &pod.seen.hash).collect();
        let (count, stable) = (hashes.len(), hashes.first().map(|hash| (*hash).clone()));
        if count > 1 {
            self.breaks(Rule::Batch, format!("settled with pods of {count} revisions"));
        }
        self.course = Course::Rest(stable);
        self.scaling = None;
        self.moves.settle();
    }

    fn census(&self) -> Census {
        Census::of(self.pods.values(), |hash| self.role(hash))
    }

    fn print(&mut self, census: &Census) {
        let batch = match &self.course {
            Course::Rest(_) => "at rest".to_owned(),
            Course::Release(r) if r.returning => "returning".to_owned(),
            Course::Release(r) => format!("batch {} allows {}", r.batch + 1, self.update_limit()),
        };
        let counts = format!("    {census}, N={}, {batch}", self.replicas);
        if counts != self.counts {
            self.line(counts.clone());
            self.counts = counts;
        }
    }

    fn line(&mut self, line: impl Into<String>) {
        self.timeline.push(self.now, line);
    }

    fn breaks(&mut self, rule: Rule, detail: String) {
        self.broken(Violation { rule, detail });
    }

    fn broken(&mut self, violation: Violation) {
        self.line(format!("VIOLATION {violation}"));
        self.violation.get_or_insert(violation);
    }
}

/// The moments since when the live pods of some revisions have been ready, in order.
fn ready_since(pods: &BTreeMap<String, Pod>, of: impl Fn(&String) -> bool) -> Vec<Duration> {
    let live = pods.values().filter(|pod| pod.lives() && of(&pod.seen.hash));
    let mut ready: Vec<Duration> = live.filter_map(|pod| pod.ready_since).collect();
    ready.sort_unstable();
    ready
}
