//! A user's manifest, and applying it: what it states wins, what it stated before and does not any
//! more goes, everything else stays (three-way merge, as client-side and server-side apply do).

use crds::contract::LAST_APPLIED_ANNOTATION;
use crds::{IntOrPercent, Kept, Original};
use serde_json::{Map, Value, json};

use crate::sim::cluster::read::NO_DEADLINE;
use crate::sim::world::NAME;

/// The values that a manifest states, where it states them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stated {
    pub replicas: Option<i32>,
    pub surge: Option<IntOrPercent>,
    pub unavailable: Option<IntOrPercent>,
    pub min_ready_seconds: Option<i32>,
    pub progress_deadline_seconds: Option<i32>,
    pub paused: Option<bool>,
    pub history_limit: Option<i32>,
    pub recreate: bool,
    /// It is a StatefulSet.
    pub stateful: bool,
    /// Its podManagementPolicy is Parallel.
    pub parallel: bool,
    /// It is a CloneSet.
    pub cloneset: bool,
    pub partition: Option<Kept>,
    /// It is a DaemonSet.
    pub daemon: bool,
}

/// A user's own values, of those that a hold may project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// A Deployment's; of a StatefulSet what its controller always does.
    pub fields: Original,
    /// A StatefulSet's or CloneSet's.
    pub partition: Kept,
}

/// A manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    pub stated: Stated,
    /// Name of the version: `v2` has image `app:v2`; `v2+x` has an environment variable more.
    pub version: String,
}

impl Manifest {
    /// As it is handed to kubectl.
    pub fn json(&self) -> Value {
        let Stated { replicas, surge, unavailable, stateful, cloneset, .. } = self.stated;
        let mut spec = json!({
            "selector": { "matchLabels": { "app": NAME } },
            "template": template(&self.version),
        });
        let mut state = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                spec[key] = value;
            }
        };
        state("replicas", replicas.map(Value::from));
        state("minReadySeconds", self.stated.min_ready_seconds.map(Value::from));
        state("progressDeadlineSeconds", self.stated.progress_deadline_seconds.map(Value::from));
        state("revisionHistoryLimit", self.stated.history_limit.map(Value::from));
        if !cloneset {
            state("paused", self.stated.paused.map(Value::from));
        }
        if stateful {
            self.stated.state_stateful(&mut state);
        } else if cloneset {
            self.stated.state_cloneset(&mut state);
        } else if self.stated.daemon {
            self.stated.state_daemonset(&mut state);
        } else if self.stated.recreate {
            state("strategy", Some(json!({ "type": "Recreate" })));
        } else if surge.is_some() || unavailable.is_some() {
            let mut rolling = Map::new();
            rolling.extend(surge.map(|surge| ("maxSurge".to_owned(), json!(surge))));
            rolling.extend(unavailable.map(|some| ("maxUnavailable".to_owned(), json!(some))));
            state("strategy", Some(json!({ "type": "RollingUpdate", "rollingUpdate": rolling })));
        }
        let metadata = json!({ "name": NAME, "labels": { "app": NAME } });
        let (version, kind) = self.stated.kind();
        json!({ "apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec })
    }

    /// The user's own fields once this is applied: what is stated; the default where the manifest
    /// before stated something; else what they were.
    pub fn fields(&self, last: &Stated, before: Option<Own>) -> Own {
        let Stated { stateful, cloneset, daemon, .. } = self.stated;
        let kind = Stated { stateful, cloneset, daemon, ..Stated::default() };
        let (now, defaults) = (&self.stated, kind.or_defaults());
        let mut before = before.unwrap_or(defaults);
        if cloneset && last.states_strategy() && !now.states_strategy() {
            // The whole map goes with the last value that was stated in it.
            let Original { paused, max_surge, max_unavailable, .. } = defaults.fields;
            before.fields = Original { paused, max_surge, max_unavailable, ..before.fields };
        }
        let partition = field(now.partition, last.partition, before.partition, defaults.partition);
        Own { fields: self.common(last, before.fields, defaults.fields), partition }
    }

    fn common(&self, last: &Stated, before: Original, defaults: Original) -> Original {
        let now = &self.stated;
        // Recreate has no numbers. In a release it waits, and the numbers stay as they were; those
        // of a DaemonSet are never held.
        let numbers = Stated { surge: None, unavailable: None, ..*last };
        let last = if now.recreate && !now.daemon { &numbers } else { last };
        // What removes the last value under rollingUpdate may leave the map: the default again.
        Original {
            paused: field(now.paused, last.paused, before.paused, defaults.paused),
            min_ready_seconds: field(
                now.min_ready_seconds,
                last.min_ready_seconds,
                before.min_ready_seconds,
                defaults.min_ready_seconds,
            ),
            progress_deadline_seconds: field(
                now.progress_deadline_seconds,
                last.progress_deadline_seconds,
                before.progress_deadline_seconds,
                defaults.progress_deadline_seconds,
            ),
            max_surge: field(now.surge, last.surge, before.max_surge, defaults.max_surge),
            max_unavailable: field(
                now.unavailable,
                last.unavailable,
                before.max_unavailable,
                defaults.max_unavailable,
            ),
        }
    }
}

fn field<T: Copy>(now: Option<T>, last: Option<T>, before: T, default: T) -> T {
    now.unwrap_or(if last.is_some() { default } else { before })
}

impl Stated {
    /// With the apiserver's defaults for what is not stated.
    pub fn or_defaults(&self) -> Own {
        let partition = self.partition.unwrap_or(Kept::Pods(0));
        if self.stateful {
            return Own { fields: one_at_a_time(self.min_ready_seconds.unwrap_or(0)), partition };
        }
        if self.daemon {
            let mut fields = one_at_a_time(self.min_ready_seconds.unwrap_or(0));
            fields.max_surge = self.surge.unwrap_or(fields.max_surge);
            fields.max_unavailable = self.unavailable.unwrap_or(fields.max_unavailable);
            return Own { fields, partition };
        }
        let quarter = IntOrPercent::Percent(25);
        let (deadline, surge, unavailable) = if self.cloneset {
            (NO_DEADLINE, IntOrPercent::Count(0), IntOrPercent::Percent(20))
        } else {
            (600, quarter, quarter)
        };
        let fields = Original {
            paused: self.paused.unwrap_or(false),
            min_ready_seconds: self.min_ready_seconds.unwrap_or(0),
            progress_deadline_seconds: self.progress_deadline_seconds.unwrap_or(deadline),
            max_surge: self.surge.unwrap_or(surge),
            max_unavailable: self.unavailable.unwrap_or(unavailable),
        };
        Own { fields, partition }
    }

    /// apiVersion and kind.
    pub fn kind(&self) -> (&'static str, &'static str) {
        match (self.stateful, self.cloneset) {
            _ if self.daemon => ("apps/v1", "DaemonSet"),
            (true, _) => ("apps/v1", "StatefulSet"),
            (false, true) => ("apps.kruise.io/v1alpha1", "CloneSet"),
            (false, false) => ("apps/v1", "Deployment"),
        }
    }

    fn states_strategy(&self) -> bool {
        let quantities = self.surge.is_some() || self.unavailable.is_some();
        quantities || self.paused.is_some() || self.partition.is_some()
    }

    fn state_cloneset(&self, state: &mut impl FnMut(&str, Option<Value>)) {
        let stated = [
            ("paused", self.paused.map(Value::from)),
            ("partition", self.partition.map(|partition| json!(partition))),
            ("maxSurge", self.surge.map(|surge| json!(surge))),
            ("maxUnavailable", self.unavailable.map(|unavailable| json!(unavailable))),
        ];
        let strategy: Map<_, _> =
            stated.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
        if !strategy.is_empty() {
            state("updateStrategy", Some(Value::Object(strategy)));
        }
    }

    fn state_daemonset(&self, state: &mut impl FnMut(&str, Option<Value>)) {
        let stated = [
            ("maxSurge", self.surge.map(|surge| json!(surge))),
            ("maxUnavailable", self.unavailable.map(|unavailable| json!(unavailable))),
        ];
        let rolling: Map<_, _> =
            stated.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
        let word = if self.recreate { "OnDelete" } else { "RollingUpdate" };
        match (self.recreate, rolling.is_empty()) {
            (false, true) => {}
            (true, true) => state("updateStrategy", Some(json!({ "type": word }))),
            (_, false) => {
                let strategy = json!({ "type": word, "rollingUpdate": rolling });
                state("updateStrategy", Some(strategy));
            }
        }
    }

    fn state_stateful(&self, state: &mut impl FnMut(&str, Option<Value>)) {
        if self.parallel {
            state("podManagementPolicy", Some(json!("Parallel")));
        }
        if self.recreate {
            state("updateStrategy", Some(json!({ "type": "OnDelete" })));
        } else if let Some(partition) = self.partition {
            let rolling = json!({ "partition": partition });
            let strategy = json!({ "type": "RollingUpdate", "rollingUpdate": rolling });
            state("updateStrategy", Some(strategy));
        }
    }
}

/// What the StatefulSet controller always does, and a DaemonSet's where nothing is said.
fn one_at_a_time(min_ready_seconds: i32) -> Original {
    Original {
        paused: false,
        min_ready_seconds,
        progress_deadline_seconds: NO_DEADLINE,
        max_surge: IntOrPercent::Count(0),
        max_unavailable: IntOrPercent::Count(1),
    }
}

/// The pod template of a version.
pub fn template(version: &str) -> Value {
    let (image, variable) = version.split_once('+').unwrap_or((version, ""));
    let mut container = json!({ "name": "app", "image": format!("app:{image}") });
    if !variable.is_empty() {
        container["env"] = json!([{ "name": variable, "value": "1" }]);
    }
    json!({
        "metadata": { "labels": { "app": NAME } },
        "spec": { "containers": [container] },
    })
}

/// Applies `manifest` onto `live`; `last` is what the same tool applied before.
pub fn apply(live: &Value, last: &Value, manifest: &Value) -> Value {
    let mut result = live.clone();
    merge(&mut result, last, manifest);
    result
}

/// The annotation by which client-side apply remembers.
pub fn remember(object: &mut Value, manifest: &Value) {
    object["metadata"]["annotations"][LAST_APPLIED_ANNOTATION] =
        Value::String(manifest.to_string());
}

/// The ownership by which server-side apply remembers (of what is not the template).
pub fn own(object: &mut Value, manifest: &Value) {
    let mut fields = owned(&manifest["spec"]);
    fields["f:template"] = json!({});
    let entry = json!({
        "manager": "flux",
        "operation": "Apply",
        "apiVersion": "apps/v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": { "f:spec": fields },
    });
    object["metadata"]["managedFields"] = json!([entry]);
}

/// Where the fields stand in a spec, which tells by its own shape whose it is.
pub struct Paths {
    pub paused: &'static str,
    pub partition: &'static str,
    pub surge: &'static str,
    pub unavailable: &'static str,
}

impl Paths {
    /// Of a stored spec: a CloneSet's has its partition, a DaemonSet's no replicas.
    pub fn of(spec: &Value) -> Self {
        if spec["replicas"].is_null() {
            return Self {
                surge: "/updateStrategy/rollingUpdate/maxSurge",
                unavailable: "/updateStrategy/rollingUpdate/maxUnavailable",
                ..Self::of(&json!({ "replicas": 1 }))
            };
        }
        if spec.pointer("/updateStrategy/partition").is_some() {
            Self {
                paused: "/updateStrategy/paused",
                partition: "/updateStrategy/partition",
                surge: "/updateStrategy/maxSurge",
                unavailable: "/updateStrategy/maxUnavailable",
            }
        } else {
            Self {
                paused: "/paused",
                partition: "/updateStrategy/rollingUpdate/partition",
                surge: "/strategy/rollingUpdate/maxSurge",
                unavailable: "/strategy/rollingUpdate/maxUnavailable",
            }
        }
    }
}

/// Sets a value, and makes the maps on the way to it.
pub fn put(spec: &mut Value, path: &str, value: Value) {
    let place = path.split('/').skip(1).fold(spec, |place, key| &mut place[key]);
    *place = value;
}

/// The user's own fields after a write that leaves no trace of what it states but does not change:
/// where a hold has put the very value there, nobody can know that it was meant.
pub fn sent(live: &Value, written: &Value, before: Own, meant: Own) -> Own {
    let silent = |path: &str| live.pointer(path) == written.pointer(path);
    unless(silent, &Paths::of(live), before, meant)
}

/// The same after a server-side apply, which leaves a trace where it comes to own a field.
pub fn told(live: &Value, written: &Value, before: Own, meant: Own) -> Own {
    let owned = &live["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"];
    let silent = |path: &str| {
        let owner = path.replace('/', "/f:");
        live["spec"].pointer(path) == written.pointer(path) && owned.pointer(&owner).is_some()
    };
    unless(silent, &Paths::of(&live["spec"]), before, meant)
}

/// `meant`, but for the fields whose paths are `silent`.
fn unless(silent: impl Fn(&str) -> bool, at: &Paths, was: Own, meant: Own) -> Own {
    let (before, mut fields, mut partition) = (was.fields, meant.fields, meant.partition);
    if silent(at.partition) {
        partition = was.partition;
    }
    if silent(at.paused) {
        fields.paused = before.paused;
    }
    if silent("/minReadySeconds") {
        fields.min_ready_seconds = before.min_ready_seconds;
    }
    if silent("/progressDeadlineSeconds") {
        fields.progress_deadline_seconds = before.progress_deadline_seconds;
    }
    if silent(at.surge) {
        fields.max_surge = before.max_surge;
    }
    if silent(at.unavailable) {
        fields.max_unavailable = before.max_unavailable;
    }
    Own { fields, partition }
}

/// An update changed these fields: nobody who applied them owns them any more.
pub fn disown(live: &Value, object: &mut Value) {
    let (before, after) = (live["spec"].clone(), object["spec"].clone());
    let entries = object["metadata"]["managedFields"].as_array_mut().into_iter().flatten();
    entries.for_each(|entry| disown_changed(&before, &after, &mut entry["fieldsV1"]["f:spec"]));
}

fn disown_changed(before: &Value, after: &Value, owned: &mut Value) {
    let Value::Object(fields) = owned else { return };
    fields.retain(|key, inner| {
        let name = key.strip_prefix("f:").unwrap_or(key);
        let (before, after) = (&before[name], &after[name]);
        disown_changed(before, after, inner);
        before == after
            || name == "template"
            || inner.as_object().is_some_and(|map| !map.is_empty())
    });
}

fn owned(value: &Value) -> Value {
    let Value::Object(map) = value else { return json!({}) };
    let fields = map.iter().filter(|(key, _)| *key != "template");
    Value::Object(fields.map(|(key, value)| (format!("f:{key}"), owned(value))).collect())
}

fn merge(live: &mut Value, last: &Value, new: &Value) {
    match (live, new) {
        (Value::Object(live), Value::Object(new)) => {
            for key in last.as_object().into_iter().flat_map(Map::keys) {
                if !new.contains_key(key) {
                    live.remove(key);
                }
            }
            for (key, value) in new {
                merge(live.entry(key.clone()).or_insert(Value::Null), &last[key], value);
            }
        }
        (Value::Array(live), Value::Array(new)) if named(live) && named(new) => {
            merge_named(live, last, new);
        }
        (live, new) => *live = new.clone(),
    }
}

fn named(items: &[Value]) -> bool {
    items.iter().all(|item| item["name"].is_string())
}

fn merge_named(live: &mut Vec<Value>, last: &Value, new: &[Value]) {
    let find = |items: &[Value], name: &Value| items.iter().position(|item| item["name"] == *name);
    let last = last.as_array().map_or(&[][..], Vec::as_slice);
    live.retain(|item| find(last, &item["name"]).is_none() || find(new, &item["name"]).is_some());
    for item in new {
        let before = find(last, &item["name"]).map_or(&Value::Null, |index| &last[index]);
        match find(live, &item["name"]) {
            Some(index) => merge(&mut live[index], before, item),
            None => live.push(item.clone()),
        }
    }
}
