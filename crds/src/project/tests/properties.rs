//! What holds for every write, whatever the objects are.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::contract::{ARMED_LABEL, ROLLOUT_LABEL};
use crate::hold::Reading;
use crate::project::{Fields, Strategy as Shape, projected};

/// The only places that a projection may touch.
const KNOWN: [&str; 8] = [
    "/metadata/annotations/sluice.dev~1hold",
    "/metadata/labels/sluice.dev~1armed",
    "/metadata/labels/sluice.dev~1rollout",
    "/spec/template",
    "/spec/paused",
    "/spec/minReadySeconds",
    "/spec/progressDeadlineSeconds",
    "/spec/strategy",
];

fn pods() -> impl Strategy<Value = IntOrPercent> {
    prop_oneof![
        (0..4).prop_map(IntOrPercent::Count),
        (0..5).prop_map(|tens| IntOrPercent::Percent(tens * 10)),
    ]
}

/// Small numbers, so that users and holds often mean the same, and now and then a fence's.
fn seconds(fence: i32) -> impl Strategy<Value = i32> {
    prop_oneof![8 => 0..4, 1 => Just(fence), 1 => Just(600)]
}

fn own() -> impl Strategy<Value = Original> {
    let numbers = (seconds(2_147_483_646), seconds(2_147_483_647));
    (any::<bool>(), numbers, pods(), pods()).prop_map(
        |(paused, (min_ready_seconds, deadline), max_surge, max_unavailable)| Original {
            paused,
            min_ready_seconds,
            progress_deadline_seconds: deadline,
            max_surge,
            max_unavailable,
        },
    )
}

fn image() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["v1", "v2", "v3"])
}

fn fenced() -> impl Strategy<Value = Fenced> {
    let templates = (image(), image(), any::<bool>(), 0..4_u32);
    (templates, any::<bool>(), pods(), pods(), own()).prop_map(
        |((to, from, rollback, batch), paused, max_surge, max_unavailable, original)| Fenced {
            revision: revision(to),
            stable: revision(from),
            rollback,
            batch,
            target: Target { paused, max_surge, max_unavailable },
            original,
        },
    )
}

fn hold() -> impl Strategy<Value = Hold> {
    let payload = prop::option::weighted(0.2, image().prop_map(template));
    let state = prop_oneof![
        3 => fenced().prop_map(Hold::fenced),
        1 => (image(), prop_oneof![Just(Bar::Rejected), Just(Bar::Dormant)])
            .prop_map(|(image, why)| Hold::barred(revision(image), why)),
    ];
    (state, payload, 0..3_u32).prop_map(|(hold, template, restated)| Hold {
        template,
        restated,
        ..hold
    })
}

/// An annotation's text, of us or not.
fn annotation() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        2 => Just(None),
        6 => hold().prop_map(|hold| Some(hold.to_text())),
        1 => Just(Some(r#"{"schema":2,"state":"elsewhere"}"#.to_owned())),
        1 => Just(Some("no hold".to_owned())),
    ]
}

fn spec_of(own: &Original, image: &str, replicas: i32, shape: u8) -> Value {
    let mut spec = json!({
        "replicas": replicas,
        "progressDeadlineSeconds": own.progress_deadline_seconds,
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": { "maxSurge": own.max_surge, "maxUnavailable": own.max_unavailable },
        },
        "template": template(image),
    });
    if own.paused {
        spec["paused"] = json!(true);
    }
    if own.min_ready_seconds != 0 {
        spec["minReadySeconds"] = json!(own.min_ready_seconds);
    }
    match shape {
        0 => spec["strategy"] = json!({ "type": "Recreate" }),
        1 => spec["strategy"] = Value::Null,
        2 => spec["strategy"]["rollingUpdate"] = Value::Null,
        _ => {}
    }
    spec
}

/// Who owns what, and what the user's manifest says.
fn statements() -> impl Strategy<Value = (Value, Option<String>)> {
    let field = prop::sample::subsequence(
        vec!["f:paused", "f:minReadySeconds", "f:progressDeadlineSeconds", "f:strategy"],
        0..=4,
    );
    let rolling = json!({ "f:rollingUpdate": { "f:maxSurge": {}, "f:maxUnavailable": {} } });
    let fields = field.prop_map(move |names| {
        let of = |name| if name == "f:strategy" { rolling.clone() } else { json!({}) };
        names.into_iter().map(|name| (name.to_owned(), of(name))).collect::<Map<_, _>>()
    });
    let entry = (fields, prop::sample::select(vec!["flux", "helm"]), any::<bool>());
    let entry = entry.prop_map(|(fields, manager, apply)| {
        let operation = if apply { "Apply" } else { "Update" };
        json!({ "manager": manager, "operation": operation, "fieldsV1": { "f:spec": fields } })
    });
    let entries = prop::collection::vec(entry, 0..3).prop_map(Value::Array);
    let manifest = (own(), image())
        .prop_map(|(own, image)| json!({ "spec": spec_of(&own, image, 1, 9) }).to_string());
    (entries, prop::option::of(manifest))
}

/// A Deployment; now and then exactly as its hold projects it.
fn deployment() -> impl Strategy<Value = Value> {
    let spec = (own(), image(), 0..3_i32, 0..16_u8);
    let labels = (prop::bool::weighted(0.85), prop::bool::weighted(0.85));
    (spec, labels, annotation(), statements(), any::<bool>()).prop_map(
        |((own, image, replicas, shape), (armed, named), text, (managers, manifest), shaped)| {
            let mut object = at_rest(image);
            object["spec"] = spec_of(&own, image, replicas, shape);
            object["metadata"]["managedFields"] = managers;
            let labels = object["metadata"]["labels"].as_object_mut().unwrap();
            if !armed {
                labels.remove(ARMED_LABEL);
            }
            if !named {
                labels.remove(ROLLOUT_LABEL);
            }
            let annotations = object["metadata"]["annotations"].as_object_mut().unwrap();
            if let Some(text) = text {
                annotations.insert(HOLD_ANNOTATION.to_owned(), json!(text));
            }
            if let Some(manifest) = manifest {
                let key = crate::contract::LAST_APPLIED_ANNOTATION.to_owned();
                annotations.insert(key, json!(manifest));
            }
            if shaped { stored(&object, &object, Writer::Controller) } else { object }
        },
    )
}

/// An object and what somebody made of it: little, or all of it.
fn write() -> impl Strategy<Value = (Value, Value)> {
    let keys = prop::sample::subsequence(
        vec!["template", "paused", "minReadySeconds", "progressDeadlineSeconds", "strategy"],
        0..=3,
    );
    let metadata = prop::sample::subsequence(vec!["managedFields", "annotations", "labels"], 0..=2);
    let edits = (keys, metadata, prop::bool::weighted(0.3));
    (deployment(), deployment(), edits).prop_map(|(old, other, (spec, metadata, all))| {
        if all {
            return (old, other);
        }
        let mut new = old.clone();
        for (part, keys) in [("spec", spec), ("metadata", metadata)] {
            for key in keys {
                match other[part].get(key) {
                    Some(value) => new[part][key] = value.clone(),
                    None => drop(new[part].as_object_mut().unwrap().remove(key)),
                }
            }
        }
        (old, new)
    })
}

fn writer() -> impl Strategy<Value = Writer> {
    prop_oneof![1 => Just(Writer::Controller), 3 => Just(Writer::Other)]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-2.0..2.0_f64).prop_map(Value::from),
        "[a-z%0-9]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A Deployment with something unheard of at one of the places that are read.
fn strange() -> impl Strategy<Value = Value> {
    let places = vec![
        "/metadata",
        "/metadata/labels",
        "/metadata/annotations",
        "/metadata/managedFields",
        "/metadata/annotations/sluice.dev~1hold",
        "/spec",
        "/spec/replicas",
        "/spec/paused",
        "/spec/minReadySeconds",
        "/spec/strategy",
        "/spec/strategy/type",
        "/spec/strategy/rollingUpdate",
        "/spec/template",
        "/spec/template/spec",
    ];
    (deployment(), prop::sample::select(places), json_value()).prop_map(|(object, at, value)| {
        let (parent, _) = at.rsplit_once('/').unwrap();
        let has_parent = object.pointer(parent).is_some_and(Value::is_object);
        if has_parent { with(&object, at, value) } else { object }
    })
}

fn check(old: &Value, new: &Value, writer: Writer) -> Result<Value, TestCaseError> {
    let projection = project(old, new, writer);
    prop_assert_eq!(&projection, &project(old, new, writer));
    let mut result = new.clone();
    let applied = json_patch::patch(&mut result, &projection.patch);
    prop_assert!(applied.is_ok(), "{:?} of {}", applied, projection.patch);
    let again = project(old, &result, writer).patch;
    prop_assert!(again.0.is_empty(), "a second pass changes {} after {}", again, projection.patch);
    for line in &projection.warnings {
        prop_assert!(line.len() < 120 && !line.contains('\n'), "{}", line);
    }
    prop_assert_eq!(foreign(new), foreign(&result));
    Ok(result)
}

/// What is left without everything that a projection may touch.
fn foreign(object: &Value) -> Value {
    let mut object = object.clone();
    for pointer in KNOWN {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        if let Some(map) = object.pointer_mut(parent).and_then(Value::as_object_mut) {
            map.remove(&key.replace("~1", "/"));
        }
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        // A parent that was added, or that was null, counts as empty.
        for key in ["labels", "annotations"] {
            if metadata.get(key).is_none_or(Value::is_null) {
                metadata.insert(key.to_owned(), json!({}));
            }
        }
    }
    object
}

fn armed(object: &Value) -> Value {
    with(object, "/metadata/labels/sluice.dev~1armed", json!("true"))
}

/// The apiserver accepts the fields.
fn is_acceptable(object: &Value) -> bool {
    let fields = Fields::of(&object["spec"]).unwrap();
    let deadline = fields.progress_deadline_seconds > fields.min_ready_seconds;
    // Whether it is the fence's or a user's is not the apiserver's business.
    let unfenced = Fields { min_ready_seconds: 0, ..fields };
    let rolling = unfenced.as_original().is_some_and(|own| own.is_acceptable());
    deadline && (rolling || fields.strategy == Shape::Recreate)
}

proptest! {
    // PROPTEST_CASES=100000 for a long run.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases * 16,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Pure, idempotent, applicable, and nothing foreign touched.
    #[test]
    fn a_projection_is_settled_at_once((old, new) in write(), writer in writer()) {
        check(&old, &new, writer)?;
    }

    #[test]
    fn strange_objects_are_survived(
        old in strange(), new in strange(), writer in writer(),
    ) {
        check(&old, &new, writer)?;
        let _ = projected(&new);
    }

    /// Whoever writes whatever to an armed workload: no template gets in with the gate open.
    #[test]
    fn nothing_escapes((old, new) in write()) {
        let old = armed(&old);
        let result = check(&old, &new, Writer::Other)?;
        for label in [ARMED_LABEL, ROLLOUT_LABEL] {
            prop_assert_eq!(
                old["metadata"]["labels"].get(label), result["metadata"]["labels"].get(label));
        }
        let fields = Fields::of(&result["spec"]).unwrap();
        let replicas = |object: &Value| object["spec"]["replicas"].as_i64().unwrap();
        match Hold::of(&result) {
            Reading::Newer(_) => {
                prop_assert_eq!(fields, Fields::of(&old["spec"]).unwrap());
            }
            Reading::Hold(hold) if hold.as_fenced().is_some() => {
                let before = Fields::of(&old["spec"]);
                let waits = hold.template.is_some() && Some(&fields) == before.as_ref();
                prop_assert!(projected(&result) || !is_acceptable(&result) || waits);
            }
            _ if result["spec"]["template"] != old["spec"]["template"] => prop_assert!(
                fields.strategy == Shape::Recreate
                    || replicas(&old) == 0
                    || replicas(&new) == 0
                    || !is_acceptable(&result),
                "{result}"
            ),
            _ => {}
        }
    }

    /// A held template is stamped as what it is.
    #[test]
    fn a_hold_names_the_template_that_it_holds((old, new) in write()) {
        let old = armed(&old);
        let result = check(&old, &new, Writer::Other)?;
        if matches!(Hold::of(&old), Reading::Newer(_)) {
            prop_assert_eq!(Hold::of(&old), Hold::of(&result));
        } else if let Reading::Hold(hold) = Hold::of(&result)
            && let Some(fenced) = hold.as_fenced()
            && result["spec"]["template"] != old["spec"]["template"]
            && is_acceptable(&result)
            && projected(&result)
        {
            let revision = Revision::of_template(&result["spec"]["template"]);
            prop_assert_eq!(&fenced.revision, &revision);
            let known = match Hold::of(&old) {
                Reading::Hold(hold) => hold.as_fenced().map(|was| was.revision.clone()),
                _ => None,
            };
            prop_assert!(fenced.target.paused || known == Some(revision));
        }
    }

    /// Hold, let through in any number of targets, lift: the user's object exactly, whatever the
    /// user applied again meanwhile, and how.
    #[test]
    fn lifting_gives_back_exactly_what_the_user_wrote(
        own in manifest(),
        targets in prop::collection::vec((any::<bool>(), pods(), pods()), 0..4),
        later in prop::collection::vec((manifest(), any::<bool>()), 0..3),
    ) {
        let mut user = at_rest("v2");
        user["spec"] = spec_of(&own, "v2", 10, 9);
        let mut live = stored(&at_rest("v1"), &user, Writer::Other);
        prop_assert!(projected(&live));
        for (paused, max_surge, max_unavailable) in targets {
            let target = Target { paused, max_surge, max_unavailable };
            let fenced = Fenced { target, ..fenced_of(&live) };
            live = check(&live, &with_hold(&live, &Hold::fenced(fenced)), Writer::Controller)?;
            for (values, stripping) in &later {
                user["spec"] = spec_of(&Original { paused: false, ..*values }, "v2", 10, 9);
                let again = with_annotations(&user, if *stripping { &user } else { &live });
                live = check(&live, &again, Writer::Other)?;
                prop_assert!(projected(&live));
            }
        }
        let lifted = check(&live, &lifted(&live), Writer::Controller)?;
        prop_assert_eq!(lifted, user);
    }
}

/// What a manifest may state, never the value of a target by chance (for that, see `values`).
fn manifest() -> impl Strategy<Value = Original> {
    (any::<bool>(), 0..4, 10..20, 11..20, 11..20).prop_map(
        |(paused, min_ready_seconds, deadline, surge, unavailable)| Original {
            paused,
            min_ready_seconds,
            progress_deadline_seconds: deadline,
            max_surge: IntOrPercent::Count(surge),
            max_unavailable: IntOrPercent::Count(unavailable),
        },
    )
}

fn with_annotations(object: &Value, from: &Value) -> Value {
    with(object, "/metadata/annotations", from["metadata"]["annotations"].clone())
}
