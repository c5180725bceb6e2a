//! Shapes that no apiserver shows, and the form of what is said.

use serde_json::json;

use super::*;
use crate::project::projected;

#[test]
fn strange_shapes_are_left_alone() {
    let good = at_rest("v1");
    let strange = [
        json!(null),
        json!([]),
        json!({}),
        with(&good, "/spec", json!(7)),
        with(&good, "/metadata", json!([])),
        with(&good, "/metadata/labels", json!("x")),
        with(&good, "/metadata/annotations", json!(["x"])),
        with(&good, "/metadata/annotations/sluice.dev~1hold", json!({ "schema": 1 })),
        with(&good, "/spec/template", json!("x")),
        with(&good, "/spec/replicas", json!("x")),
        with(&good, "/spec/paused", json!("yes")),
        with(&good, "/spec/minReadySeconds", json!(1.5)),
        with(&good, "/spec/minReadySeconds", json!(1_i64 << 40)),
        with(&good, "/spec/strategy/type", json!("Sideways")),
        with(&good, "/spec/strategy/rollingUpdate/maxSurge", json!("x%")),
        with(&good, "/kind", json!("StatefulSet")),
        with(&good, "/apiVersion", json!("extensions/v1beta1")),
    ];
    for object in &strange {
        assert!(projected(object));
        for writer in [Writer::Controller, Writer::Other] {
            check_untouched(object, &at_rest("v2"), writer);
            check_untouched(&good, object, writer);
        }
    }
}

#[test]
fn nulls_are_absent() {
    let mut new = at_rest("v2");
    for pointer in ["/metadata/annotations", "/spec/paused", "/spec/minReadySeconds"] {
        new = with(&new, pointer, json!(null));
    }
    let (stored, _) = user_writes(&at_rest("v1"), &new);
    assert_eq!(fenced_of(&stored).original, Original { min_ready_seconds: 0, ..OWN });
    assert_eq!(stored["spec"]["paused"], true);
}

/// Every warning there is, for the longest name there may be and for none.
#[test]
fn warnings_are_short_single_lines() {
    let longest = "x".repeat(63);
    for name in [json!("web"), json!(longest), json!("two\nlines"), json!(null)] {
        let named =
            |object: &Value| with(object, "/metadata/labels/sluice.dev~1rollout", name.clone());
        let everything = with(&at_rest("v3"), "/spec/minReadySeconds", json!(1));
        let everything = with(&everything, "/spec/paused", json!(false));
        let waiting = user_writes(&at_rest("v1"), &at_rest("v2")).0;
        let newer =
            with(&in_release(), "/metadata/annotations/sluice.dev~1hold", json!("{\"schema\":9}"));
        let writes = [
            (at_rest("v1"), at_rest("v2")),
            (at_rest("v1"), with(&in_release(), "/spec/template", template("v1"))),
            (in_release(), everything.clone()),
            (in_release(), at_rest("v1")),
            (in_release(), with(&in_release(), "/spec/strategy", json!({ "type": "Recreate" }))),
            (waiting, everything),
            (rejected(), at_rest("v2")),
            (dormant(), at_rest("v2")),
            (dormant(), with(&dormant(), "/spec/template", template("v2"))),
            (newer, at_rest("v2")),
        ];
        let said: Vec<String> = writes
            .iter()
            .flat_map(|(old, new)| project(&named(old), new, Writer::Other).warnings)
            .collect();
        assert!(said.len() >= 14, "{said:#?}");
        for line in said {
            assert!(line.len() < 120 && !line.contains('\n'), "{line}");
            assert!(!line.ends_with(' ') && !line.contains("{}"), "{line}");
        }
    }
}

/// The apiserver shows what it defaulted; the hold's own reader has the same defaults.
#[test]
fn absent_fields_are_read_as_the_apiserver_defaults_them() {
    let spec = json!({ "template": template("v1") });
    let quarter = IntOrPercent::Percent(25);
    let expected = Original {
        paused: false,
        min_ready_seconds: 0,
        progress_deadline_seconds: 600,
        max_surge: quarter,
        max_unavailable: quarter,
    };
    assert_eq!(Original::of(&spec), Some(expected));
    assert_eq!(Original::of(&in_release()["spec"]), None);
}
