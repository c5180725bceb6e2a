//! The history of a template.

use k8s_openapi::api::apps::v1::ControllerRevision;
use kube::ResourceExt;
use serde_json::json;

use super::super::revisions::{Place, entry, place, snapshot, sort, superfluous, template};
use super::{members, set, template as of_image};

fn history(images: &[&str]) -> Vec<ControllerRevision> {
    let set = set(&json!({}));
    let entries = images.iter().zip(1..);
    entries.map(|(image, number)| entry(&set, snapshot(&of_image(image)), number, 0)).collect()
}

#[test]
fn the_template_comes_back_as_it_was() {
    let entry = &history(&["a"])[0];
    assert_eq!(template(entry), Some(of_image("a")));
    let data = &entry.data.as_ref().unwrap().0;
    assert_eq!(data["spec"]["template"]["$patch"], "replace");
    assert_eq!(data["spec"].as_object().unwrap().len(), 1);
}

#[test]
fn a_name_tells_the_template_and_has_no_dash_in_its_hash() {
    let history = history(&["a", "b", "a"]);
    let names: Vec<String> = history.iter().map(ResourceExt::name_any).collect();
    assert_eq!(names[0], names[2]);
    assert_ne!(names[0], names[1]);
    let hash = names[0].strip_prefix("web-").unwrap();
    assert!(!hash.contains('-') && hash.len() >= 5, "{hash}");
    assert_eq!(history[0].labels()["controller.kubernetes.io/hash"], hash);
    assert_eq!(history[0].labels()["app"], "web");
    let again = entry(&set(&json!({})), snapshot(&of_image("a")), 1, 1);
    assert_ne!(again.name_any(), names[0]);
}

#[test]
fn an_old_template_gets_its_old_revision_back() {
    let history = history(&["a", "b"]);
    let place = |image| place(&history, &snapshot(&of_image(image)));
    assert_eq!(place("b"), Place::Newest);
    assert_eq!(place("a"), Place::Again { name: history[0].name_any(), number: 3 });
    assert_eq!(place("c"), Place::Missing(3));
}

#[test]
fn labels_of_the_template_count() {
    let history = history(&["a"]);
    let mut other = of_image("a");
    other["metadata"]["labels"]["tier"] = json!("front");
    assert_eq!(place(&history, &snapshot(&other)), Place::Missing(2));
}

#[test]
fn a_history_is_sorted_by_number() {
    let mut all = history(&["a", "b"]);
    all[0].revision = 9;
    sort(&mut all);
    assert_eq!(all.iter().map(|entry| entry.revision).collect::<Vec<_>>(), [2, 9]);
}

#[test]
fn revisions_in_use_stay_beyond_the_limit() {
    let history = history(&["a", "b", "c", "d", "e"]);
    let names: Vec<String> = history.iter().map(ResourceExt::name_any).collect();
    let mut pods = members("O");
    pods[0].revision = names[0].rsplit('-').next().unwrap().to_owned();
    let gone = |limit| superfluous(&history, &pods, [&names[3], &names[4]], Some(limit));
    assert_eq!(gone(2), [""; 0]);
    assert_eq!(gone(1), [names[1].clone()]);
    assert_eq!(gone(0), [names[1].clone(), names[2].clone()]);
    assert_eq!(superfluous(&history, &pods, [&names[3], &names[4]], None), [""; 0]);
}
