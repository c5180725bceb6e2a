//! Where the apiserver reaches a provider, what the exit code is, and what is shown.

use std::time::Duration;

use gate::answer::{Answer, Data, Sample, Series};
use gate::query::Values;
use serde_json::json;

use super::prometheus::{parameters, service_path};
use super::*;

fn gate() -> Gate {
    serde_json::from_value(json!({
        "name": "errors",
        "prometheus": { "query": "ratio{pod=~\"{{pods}}\"}", "max": "0.01" },
    }))
    .unwrap()
}

fn trial() -> Trial {
    let at = |second| Timestamp::from_second(second).unwrap();
    let values = Values {
        namespace: "shop".into(),
        workload: "web".into(),
        revision: "new".into(),
        stable_revision: "old".into(),
        pods: vec!["web-a".into()],
        window: Duration::ZERO,
    };
    Trial { values, stable_pods: Vec::new(), since: at(1_000), now: at(1_060) }
}

#[test]
fn a_service_is_reached_through_the_apiserver() {
    let base = "/api/v1/namespaces/monitoring/services";
    for (address, path) in [
        ("http://prometheus.monitoring:9090", "http:prometheus:9090/proxy"),
        ("http://prometheus.monitoring.svc:9090/", "http:prometheus:9090/proxy"),
        ("https://prometheus.monitoring.svc.cluster.local", "https:prometheus:443/proxy"),
        ("http://prometheus.monitoring/prom/", "http:prometheus:80/proxy/prom"),
    ] {
        assert_eq!(service_path(address), Some(format!("{base}/{path}/api/v1/query")));
    }
    for address in ["http://10.0.0.1:9090", "http://localhost:9090", "https://m.example.org", "x"] {
        assert_eq!(service_path(address), None, "{address}");
    }
}

#[test]
fn a_sample_may_be_no_older_than_the_window() {
    let ask = trial().ask(&gate()).unwrap();
    let asked = parameters(&ask.query, ask.window, None);
    let query = ("query", "ratio{pod=~\"(?:web-a)\"}".to_owned());
    assert_eq!(asked, [query.clone(), ("lookback_delta", "60s".to_owned())]);
    let at = Timestamp::from_second(1_060).unwrap();
    let asked = parameters(&ask.query, Duration::ZERO, Some(at));
    let time = ("time", "1060".to_owned());
    assert_eq!(asked, [query, ("lookback_delta", "1s".to_owned()), time]);
}

#[test]
fn the_gravest_verdict_is_the_exit_code() {
    let code = |verdicts: &[Verdict]| verdicts.iter().fold(0, |worst, one| graver(worst, *one));
    assert_eq!(code(&[Verdict::Pass, Verdict::Pass]), 0);
    assert_eq!(code(&[Verdict::Unknown, Verdict::Fail, Verdict::Error]), FAILED);
    assert_eq!(code(&[Verdict::Pass, Verdict::Error]), UNJUDGED);
    assert_eq!(code(&[Verdict::Unknown, Verdict::Pass]), UNJUDGED);
}

#[test]
fn the_query_every_sample_and_the_verdict_are_shown() {
    let (gate, trial) = (gate(), trial());
    let ask = trial.ask(&gate).unwrap();
    let sample = Sample { at: trial.now, value: 0.25 };
    let series = Series { labels: [("job".into(), "a \"b\"".into())].into(), sample };
    let answer = Answer { data: Data::Vector(vec![series]), warnings: Vec::new(), infos: vec![] };
    let answered = Answered::new(ask, Ok(answer));
    let measurement = trial.judge(&gate, &answered).unwrap();
    let shown = show::tried(&gate, &Tried { answered: Some(answered), measurement });
    let expected = "\
gate errors
  provider  default
  window    60 s
  query     ratio{pod=~\"(?:web-a)\"}
            -> 0.25 {job=\"a \\\"b\\\"\"}
  verdict   Fail AboveMax: 0.25 is above max 0.01";
    assert_eq!(shown, expected);
}

#[test]
fn a_hook_is_not_sent_and_says_why() {
    let hook = json!({ "name": "smoke", "hook": { "provider": "checks" } });
    let gate: Gate = serde_json::from_value(hook).unwrap();
    let shown = show::unsent(&gate, gate.hook.as_ref().unwrap());
    let expected = "\
gate smoke
  hook      checks
  not sent  a hook may have effects, and only Sluice reads the Secret that signs it";
    assert_eq!(shown, expected);
    // Not even by a way around it.
    let measurement = trial().ask(&gate).unwrap_err();
    assert_eq!(measurement.told, "only a release sends a hook");
}

#[test]
fn what_cannot_be_asked_says_why() {
    let mut trial = trial();
    trial.values.pods.clear();
    let measurement = *trial.ask(&gate()).unwrap_err();
    let shown = show::tried(&gate(), &Tried { answered: None, measurement });
    assert!(shown.contains("verdict   Unknown NoPods"), "{shown}");
}

#[test]
fn a_gate_that_is_not_there_is_named() {
    let rollout = |gates| -> Rollout {
        let spec = json!({ "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment",
            "name": "web" }, "strategy": { "batches": [{ "replicas": "100%" }] },
            "gates": gates });
        let raw = json!({ "apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout",
            "metadata": { "name": "web" }, "spec": spec });
        serde_json::from_value(raw).unwrap()
    };
    let two = rollout(json!([gate()]));
    assert_eq!(chosen(&two, None).unwrap().len(), 1);
    let missing = chosen(&two, Some("slow")).unwrap_err().to_string();
    assert_eq!(missing, "the Rollout has no gate \"slow\": it has errors");
    assert!(chosen(&rollout(json!([])), None).is_err());
}
