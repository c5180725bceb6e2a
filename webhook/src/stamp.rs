//! Puts the asker's name on a request: a Rollout's request annotation says who wrote it because
//! the apiserver knows, not because it claims so.

use crds::contract::REQUEST_ANNOTATION;
use json_patch::{Patch, PatchOperation, ReplaceOperation, jsonptr::PointerBuf};
use serde_json::Value;

/// The patch that stamps a new request, if `new` brings one. A request that `old` has already
/// keeps its stamp. A text that is no object is left alone: validation refuses it.
#[must_use]
pub fn stamp(old: Option<&Value>, new: &Value, username: &str) -> Option<Patch> {
    let text = annotation(new)?;
    if old.and_then(annotation) == Some(text) {
        return None;
    }
    let Ok(Value::Object(mut request)) = serde_json::from_str(text) else { return None };
    request.insert("by".to_owned(), Value::String(username.to_owned()));
    let stamped = Value::Object(request).to_string();
    let path = PointerBuf::from_tokens(["metadata", "annotations", REQUEST_ANNOTATION]);
    let replace = ReplaceOperation { path, value: Value::String(stamped) };
    Some(Patch(vec![PatchOperation::Replace(replace)]))
}

fn annotation(object: &Value) -> Option<&str> {
    object["metadata"]["annotations"].get(REQUEST_ANNOTATION)?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rollout(request: &str) -> Value {
        json!({"metadata": {"annotations": {"sluice.dev/request": request, "x": "y"}}})
    }

    fn stamped(old: Option<&Value>, new: &Value) -> Value {
        let mut object = new.clone();
        json_patch::patch(&mut object, &stamp(old, new, "ann").unwrap()).unwrap();
        assert_eq!(object["metadata"]["annotations"]["x"], "y");
        serde_json::from_str(annotation(&object).unwrap()).unwrap()
    }

    #[test]
    fn a_new_request_is_stamped_whatever_it_claims() {
        let old = rollout(r#"{"id":"1"}"#);
        for claim in [r#"{"id":"2"}"#, r#"{"id":"2","by":"bob"}"#] {
            let new = rollout(claim);
            assert_eq!(stamped(Some(&old), &new), json!({"id": "2", "by": "ann"}));
            assert_eq!(stamped(None, &new), json!({"id": "2", "by": "ann"}), "on CREATE too");
        }
    }

    #[test]
    fn a_request_that_is_there_keeps_its_stamp() {
        let old = rollout(r#"{"id":"1","by":"bob"}"#);
        assert_eq!(stamp(Some(&old), &old, "ann"), None);
        assert_eq!(stamp(Some(&old), &json!({"metadata": {}}), "ann"), None);
    }

    #[test]
    fn a_changed_stamp_is_a_new_request() {
        let old = rollout(r#"{"id":"1","by":"bob"}"#);
        let forged = rollout(r#"{"id":"1","by":"carol"}"#);
        assert_eq!(stamped(Some(&old), &forged), json!({"id": "1", "by": "ann"}));
    }

    #[test]
    fn what_is_no_request_is_left_alone() {
        for text in ["", "yes", "[]", "{"] {
            assert_eq!(stamp(None, &rollout(text), "ann"), None);
        }
        let number = json!({"metadata": {"annotations": {"sluice.dev/request": 1}}});
        assert_eq!(stamp(None, &number, "ann"), None);
    }
}
