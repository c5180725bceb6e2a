//! Writes as words: `template, hold held, spec.paused=true`. Owns the vocabulary.

use crds::hold::Bar;
use crds::{Hold, IntOrPercent, Revision};
use serde_json::{Value, json};

use crate::workload::{
    annotate, fence, held, hold, in_batch, key, lift, new_template, unannotate, unlabel,
};

/// Does to `object` what `script` says.
pub fn write(script: &str, object: &mut Value) {
    for step in script.split(", ") {
        match step.split_once(' ').unwrap_or((step, "")) {
            ("nothing", "") => {}
            ("template", "") => new_template(object),
            ("lift", "") => lift(object),
            ("fence", "") => fence(object),
            ("unlabel", "") => unlabel(object),
            ("unannotate", "") => unannotate(object),
            ("recreate", "") => object["spec"]["strategy"] = json!({ "type": "Recreate" }),
            ("hold", name) => hold(object, named(name, object).as_fenced().unwrap()),
            ("annotate", name) => annotate(object, &named(name, object).to_text()),
            ("label", label) => {
                let (name, value) = label.split_once('=').unwrap();
                let name = if name == "mine" { name.to_owned() } else { key(name) };
                put(&mut object["metadata"]["labels"], &name, Some(value).filter(|v| *v != "-"));
            }
            (path, "") if path.contains('=') => set(object, path),
            _ => panic!("{step:?} is no step"),
        }
    }
}

/// `spec.replicas=5`, or `=-` to remove.
fn set(object: &mut Value, step: &str) {
    let (path, value) = step.split_once('=').unwrap();
    let (parents, name) = path.rsplit_once('.').unwrap();
    let parent = parents.split('.').fold(object, |value, name| &mut value[name]);
    let value = (value != "-").then(|| serde_json::from_str::<Value>(value).unwrap());
    put(parent, name, value);
}

fn put(map: &mut Value, name: &str, value: Option<impl Into<Value>>) {
    match value {
        Some(value) => map[name] = value.into(),
        None => drop(map.as_object_mut().unwrap().remove(name)),
    }
}

/// Holds that the tests speak of.
fn named(name: &str, object: &Value) -> Hold {
    let mut fenced = in_batch(1);
    match name {
        "held" => fenced = held(),
        "batch1" => {}
        "batch2" => {
            fenced.batch = 2;
            fenced.target.max_unavailable = IntOrPercent::Percent(50);
        }
        "stale" => fenced.batch = 4,
        "third" => {
            fenced.revision = Revision::from("cccccccccc");
            fenced.batch = 0;
            fenced.target.paused = true;
        }
        "third-open" => {
            fenced = named("third", object).as_fenced().unwrap().clone();
            fenced.target.max_unavailable = IntOrPercent::Percent(100);
        }
        "rollback" => {
            fenced.revision = fenced.stable.clone();
            fenced.rollback = true;
            fenced.target.paused = true;
        }
        // The user's own numbers, as the webhook notes them.
        "noted" => {
            fenced.original.max_surge = IntOrPercent::Count(3);
            fenced.original.min_ready_seconds = 30;
        }
        "other-stable" => fenced.stable = Revision::from("dddddddddd"),
        "open" => fenced.target.max_unavailable = IntOrPercent::Percent(100),
        "bar" => return Hold::barred(Revision::from("bbbbbbbbbb"), Bar::Rejected),
        "carrying" => {
            let template = Some(object["spec"]["template"].clone());
            return Hold { template, ..Hold::fenced(fenced) };
        }
        _ => panic!("{name:?} is no hold"),
    }
    Hold::fenced(fenced)
}
