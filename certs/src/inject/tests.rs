//! Which operations are sent, and when none is.

use http::Method;
use serde_json::json;

use super::*;
use crate::testing::{ADMISSION_PATH, apiserver, place, registration, status};

const KIND: &str = "MutatingWebhookConfiguration";

fn path() -> String {
    format!("{ADMISSION_PATH}/mutatingwebhookconfigurations/sluice")
}

fn parsed(value: Value) -> MutatingWebhookConfiguration {
    serde_json::from_value(value).unwrap()
}

fn operations(value: Value, ca_bundle: &str) -> Option<Value> {
    patch(&parsed(value), &place(), ca_bundle).map(|patch| serde_json::to_value(patch).unwrap())
}

#[test]
fn writes_our_entries_under_a_precondition() {
    let expected = json!([
        { "op": "test", "path": "/metadata/resourceVersion", "value": "7" },
        { "op": "add", "path": "/webhooks/1/clientConfig/caBundle", "value": "UEVN" },
    ]);
    assert_eq!(operations(registration(KIND, "7", None), "PEM"), Some(expected.clone()));
    assert_eq!(operations(registration(KIND, "7", Some("old")), "PEM"), Some(expected));
}

#[test]
fn writes_nothing_twice() {
    let mut live = registration(KIND, "7", None);
    let first = patch(&parsed(live.clone()), &place(), "PEM").unwrap();
    json_patch::patch(&mut live, &first).unwrap();
    assert_eq!(live, registration(KIND, "7", Some("PEM")));
    assert_eq!(operations(live, "PEM"), None);
}

#[test]
fn leaves_others_alone() {
    let mut foreign = registration(KIND, "7", None);
    foreign["webhooks"][1]["clientConfig"] = json!({ "url": "https://elsewhere" });
    assert_eq!(operations(foreign.clone(), "PEM"), None);
    let service = json!({ "namespace": "other", "name": "sluice-webhook" });
    foreign["webhooks"][1]["clientConfig"] = json!({ "service": service });
    assert_eq!(operations(foreign, "PEM"), None);
    let mut empty = registration(KIND, "7", None);
    empty["webhooks"] = Value::Null;
    assert_eq!(operations(empty, "PEM"), None);
}

async fn scene(answers: Vec<(Method, u16, Value)>) -> Result<Option<String>, InjectError> {
    let (client, mut apiserver) = apiserver();
    let place = place();
    let (result, ()) =
        tokio::join!(inject::<MutatingWebhookConfiguration>(&client, &place, "PEM"), async {
            for (method, code, body) in answers {
                let (query, _) = apiserver.answer(&method, &path(), code, body).await;
                let managed = query.contains("fieldManager=sluice-controller");
                assert_eq!(managed, method == Method::PATCH, "{query}");
            }
            apiserver.idles().await;
        });
    result
}

#[tokio::test(start_paused = true)]
async fn one_read_where_all_is_well() {
    let well = registration(KIND, "7", Some("PEM"));
    let version = scene(vec![(Method::GET, 200, well)]).await.unwrap();
    assert_eq!(version.as_deref(), Some("7"));
}

#[tokio::test(start_paused = true)]
async fn one_write_where_it_is_not() {
    let live = registration(KIND, "7", None);
    let after = registration(KIND, "8", Some("PEM"));
    let answers = vec![(Method::GET, 200, live), (Method::PATCH, 200, after)];
    assert_eq!(scene(answers).await.unwrap().as_deref(), Some("8"));
}

#[tokio::test(start_paused = true)]
async fn says_what_went_wrong() {
    let absent = scene(vec![(Method::GET, 404, status(404, "NotFound"))]).await;
    assert_eq!(absent.unwrap_err().kind(), "absent");
    for code in [404, 409, 422] {
        let live = registration(KIND, "7", None);
        let lost = vec![(Method::GET, 200, live), (Method::PATCH, code, status(code, "No"))];
        assert_eq!(scene(lost).await.unwrap_err().kind(), "lost", "{code}");
    }
    let forbidden = scene(vec![(Method::GET, 403, status(403, "Forbidden"))]).await;
    assert_eq!(forbidden.unwrap_err().kind(), "api");
}
