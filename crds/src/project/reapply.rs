//! What becomes of a pod template when a manifest is applied onto it. A three-way or a server-side
//! apply adds and changes, but does not take away what the manifest never had: so a manifest whose
//! template was taken back gives another template when it is applied again. Owns the two merges of
//! pod templates, as kubectl (strategic merge) and the apiserver (structured merge) do them.

use serde_json::{Map, Value};

use super::kind::Projected;
use super::statement::{last_applied, owners};
use super::workload::Workload;

/// The templates that applying a manifest onto `live` may give, where applying it before has given
/// the template of `applied`.
pub(super) fn outcomes<F: Projected>(live: &Value, applied: &Workload<F>) -> Vec<Value> {
    let manifest = last_applied(applied.raw).and_then(|mut manifest| {
        let template = manifest.get_mut("spec")?.get_mut("template")?.take();
        template.is_object().then_some(template)
    });
    let owned: Vec<&Value> =
        owners(applied.raw).into_iter().map(|owner| &owner.spec["f:template"]).collect();
    // Without evidence, whatever the template has counts as stated.
    let mut ways = vec![(Way::Client, Stated::All), (Way::Server, Stated::All)];
    ways.extend(manifest.as_ref().map(|manifest| (Way::Client, Stated::Manifest(manifest))));
    if owned.iter().any(|set| set.is_object()) {
        ways.push((Way::Server, Stated::Owned(owned)));
    }
    ways.iter()
        .map(|(way, stated)| merged("template", live, applied.template, *way, stated))
        .collect()
}

/// What of a template a manifest states. The rest of it are the apiserver's defaults, and they do
/// not come again where the live object has another value.
enum Stated<'a> {
    /// No evidence: everything.
    All,
    /// This part of last-applied-configuration.
    Manifest(&'a Value),
    /// These parts of managedFields.
    Owned(Vec<&'a Value>),
    Nothing,
}

impl<'a> Stated<'a> {
    fn at(&self, key: &str) -> Stated<'a> {
        match self {
            Self::All => Self::All,
            Self::Manifest(manifest) => manifest.get(key).map_or(Self::Nothing, Self::Manifest),
            Self::Owned(sets) => Self::owned(sets, &format!("f:{key}")),
            Self::Nothing => Self::Nothing,
        }
    }

    fn item(&self, item: &Value, keys: &[&str]) -> Stated<'a> {
        match self {
            Self::Manifest(manifest) => {
                let mut items = manifest.as_array().into_iter().flatten();
                let item = items.find(|one| same(one, item, keys));
                item.map_or(Self::Nothing, Self::Manifest)
            }
            Self::Owned(sets) => {
                let id: Map<_, _> =
                    keys.iter().map(|key| ((*key).to_owned(), item[*key].clone())).collect();
                Self::owned(sets, &format!("k:{}", Value::Object(id)))
            }
            Self::All => Self::All,
            Self::Nothing => Self::Nothing,
        }
    }

    fn owned(sets: &[&'a Value], key: &str) -> Stated<'a> {
        let inner: Vec<_> = sets.iter().filter_map(|set| set.get(key)).collect();
        if inner.is_empty() { Self::Nothing } else { Self::Owned(inner) }
    }

    fn is_anything(&self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// The place of an item in the manifest; without a manifest its own place counts.
    fn place(&self, item: &Value, keys: &[&str]) -> Option<usize> {
        match self {
            Self::Manifest(Value::Array(items)) => {
                items.iter().position(|one| same(one, item, keys))
            }
            _ => None,
        }
    }
}

/// Who merges.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// kubectl apply, Helm 3, Argo CD.
    Client,
    /// kubectl apply --server-side, Helm 4, Flux.
    Server,
}

impl Way {
    /// The keys that tell the items of a list apart; none for a list that is replaced whole.
    fn keys(self, list: &str) -> &'static [&'static str] {
        match list {
            "containers"
            | "initContainers"
            | "ephemeralContainers"
            | "env"
            | "volumes"
            | "imagePullSecrets"
            | "schedulingGates"
            | "resourceClaims" => &["name"],
            "volumeMounts" => &["mountPath"],
            "volumeDevices" => &["devicePath"],
            "hostAliases" => &["ip"],
            "ports" if self == Self::Client => &["containerPort"],
            "ports" => &["containerPort", "protocol"],
            "topologySpreadConstraints" if self == Self::Client => &["topologyKey"],
            "topologySpreadConstraints" => &["topologyKey", "whenUnsatisfiable"],
            "claims" if self == Self::Server => &["name"],
            _ => &[],
        }
    }

    /// A map that is replaced whole (`+structType=atomic` and `+mapType=atomic`).
    fn replaces(self, map: &str) -> bool {
        let atomic = [
            "nodeSelector",
            "fieldRef",
            "resourceFieldRef",
            "configMapKeyRef",
            "secretKeyRef",
            "fileKeyRef",
            "labelSelector",
            "namespaceSelector",
            "selector",
            "requiredDuringSchedulingIgnoredDuringExecution",
        ];
        self == Self::Server && atomic.contains(&map)
    }

    /// The items of this list lose what the manifest does not state (`retainKeys`).
    fn retains_stated(self, list: &str) -> bool {
        self == Self::Client && ["volumes", "resourceClaims"].contains(&list)
    }
}

/// `applied` is what the manifest gave before, with all defaults.
fn merged(field: &str, live: &Value, applied: &Value, way: Way, stated: &Stated) -> Value {
    match (live, applied) {
        (Value::Object(live), Value::Object(applied)) if !way.replaces(field) => {
            Value::Object(merged_map(live, applied, way, stated))
        }
        (Value::Array(live), Value::Array(applied)) => match way.keys(field) {
            keys if is_keyed(live, keys) && is_keyed(applied, keys) => {
                Value::Array(List::new(field, live, applied, way, stated).merged())
            }
            _ => Value::Array(applied.clone()),
        },
        _ => applied.clone(),
    }
}

fn merged_map(
    live: &Map<String, Value>,
    applied: &Map<String, Value>,
    way: Way,
    stated: &Stated,
) -> Map<String, Value> {
    let mut merge = live.clone();
    for (key, value) in applied {
        let inner = stated.at(key);
        let value = match live.get(key) {
            Some(before) if inner.is_anything() => merged(key, before, value, way, &inner),
            Some(before) => before.clone(),
            None => value.clone(),
        };
        merge.insert(key.clone(), value);
    }
    merge
}

/// Every item has all keys, and no two items the same.
fn is_keyed(items: &[Value], keys: &[&str]) -> bool {
    let complete = |item: &Value| keys.iter().all(|key| !item[key].is_null());
    let unique = |at: usize, item: &Value| !items[..at].iter().any(|one| same(one, item, keys));
    !keys.is_empty()
        && items.iter().enumerate().all(|(at, item)| complete(item) && unique(at, item))
}

fn same(one: &Value, other: &Value, keys: &[&str]) -> bool {
    keys.iter().all(|key| one[key] == other[key])
}

/// Two lists whose items are told apart by keys.
struct List<'a> {
    field: &'a str,
    keys: &'static [&'static str],
    live: &'a [Value],
    /// The items that the manifest states, in its order.
    applied: Vec<&'a Value>,
    way: Way,
    stated: &'a Stated<'a>,
}

impl<'a> List<'a> {
    fn new(
        field: &'a str,
        live: &'a [Value],
        applied: &'a [Value],
        way: Way,
        stated: &'a Stated<'a>,
    ) -> Self {
        let keys = way.keys(field);
        let is_live = |item: &Value| live.iter().any(|one| same(one, item, keys));
        let counts = |item: &&Value| !is_live(item) || stated.item(item, keys).is_anything();
        let mut applied: Vec<&Value> = applied.iter().filter(counts).collect();
        applied.sort_by_key(|item| stated.place(item, keys));
        Self { field, keys, live, applied, way, stated }
    }

    fn merged(&self) -> Vec<Value> {
        match self.way {
            Way::Client => self.in_clients_order(),
            Way::Server => self.in_servers_order(),
        }
    }

    /// apimachinery's `mergeSortedSlice`: what only the live list has goes before the first applied
    /// item that follows it in the live list.
    fn in_clients_order(&self) -> Vec<Value> {
        let mut merge = Vec::with_capacity(self.live.len() + self.applied.len());
        let mut only_live =
            self.live.iter().enumerate().filter(|(_, item)| !self.is_applied(item)).peekable();
        for item in &self.applied {
            if let Some(place) = self.live.iter().position(|one| same(one, item, self.keys)) {
                while let Some((_, before)) = only_live.next_if(|(at, _)| *at < place) {
                    merge.push(before.clone());
                }
            }
            merge.push(self.item(item));
        }
        merge.extend(only_live.map(|(_, item)| item.clone()));
        merge
    }

    /// structured-merge-diff's `visitListItems`: both lists side by side, in the applied order,
    /// what only the live list has first.
    fn in_servers_order(&self) -> Vec<Value> {
        let mut merge = Vec::with_capacity(self.live.len() + self.applied.len());
        let mut live = self.live.iter().peekable();
        for (at, item) in self.applied.iter().enumerate() {
            let next_shared = self.applied[at..].iter().find(|one| self.is_live(one));
            let stop = |one: &Value| {
                self.is_applied(one) && next_shared.is_some_and(|next| same(next, one, self.keys))
            };
            while let Some(one) = live.next_if(|one| !stop(one)) {
                if !self.is_applied(one) {
                    merge.push(one.clone());
                }
            }
            merge.push(self.item(item));
            live.next_if(|one| same(one, item, self.keys));
        }
        merge.extend(live.filter(|one| !self.is_applied(one)).cloned());
        merge
    }

    /// An applied item, with what the live one has besides.
    fn item(&self, applied: &Value) -> Value {
        let Some(live) = self.live.iter().find(|one| same(one, applied, self.keys)) else {
            return applied.clone();
        };
        let stated = self.stated.item(applied, self.keys);
        let mut item = merged("", live, applied, self.way, &stated);
        if self.way.retains_stated(self.field)
            && let Value::Object(map) = &mut item
        {
            map.retain(|key, _| applied.get(key).is_some());
        }
        item
    }

    fn is_applied(&self, item: &Value) -> bool {
        self.applied.iter().any(|one| same(one, item, self.keys))
    }

    fn is_live(&self, item: &Value) -> bool {
        self.live.iter().any(|one| same(one, item, self.keys))
    }
}
