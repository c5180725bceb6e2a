//! The parts that need no cluster: what a record, the log and /proc are read as.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::audit::{Audit, Entry, timeline};
use super::course::{Course, course};
use super::figures::{Key, Report};
use super::memory::{processor, resident};
use super::quantile::{median, quantile};
use super::record::{Arrival, Named, News};
use super::unmeasured;

const ALL: [Key; 33] = [
    Key::FirstPod,
    Key::NativeFirstPod,
    Key::NextBatch,
    Key::Release,
    Key::NativeRelease,
    Key::Readiness,
    Key::Overhead,
    Key::Writes,
    Key::RestWrites,
    Key::AddedMedian,
    Key::AddedTail,
    Key::AddedMedianAtRest,
    Key::AddedTailAtRest,
    Key::ControllerRss,
    Key::WebhookRss,
    Key::BadMetric,
    Key::GatesLate,
    Key::GatesAsked,
    Key::GatesProcessor,
    Key::GatesRss,
    Key::Hundred,
    Key::NativeHundred,
    Key::HundredSlowest,
    Key::HundredWrites,
    Key::HundredProcessor,
    Key::LeaderKill,
    Key::LeaderStop,
    Key::Rss1000,
    Key::WebhookRss1000,
    Key::Calls1000,
    Key::Rss10000,
    Key::WebhookRss10000,
    Key::Calls10000,
];

#[test]
fn quantiles_lie_between_samples() {
    assert_eq!(quantile(&[], 0.5), None);
    assert_eq!(median(&[7.0]), Some(7.0));
    assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    let hundred: Vec<f64> = (0..=100).map(f64::from).collect();
    assert_eq!(quantile(&hundred, 0.99), Some(99.0));
    assert_eq!(quantile(&hundred, 1.0), Some(100.0));
}

fn pod(name: &str, version: &str) -> Named {
    Named { name: name.to_owned(), version: version.to_owned() }
}

fn deployment(version: &str, batch: Option<u32>, complete: bool) -> News {
    News::Deployment { version: version.to_owned(), batch, complete }
}

/// A release of two batches of one pod, in milliseconds after the user's write.
fn release() -> Vec<(u64, News)> {
    vec![
        (1, deployment("v1", None, true)),
        (10, deployment("v2", Some(0), false)),
        (40, deployment("v2", Some(1), false)),
        (60, News::Created(pod("a", "v2"))),
        (61, News::Created(pod("old", "v1"))),
        (1060, News::Ready(pod("a", "v2"))),
        (1061, News::Ready(pod("a", "v2"))),
        (1080, deployment("v2", Some(2), false)),
        (1100, News::Created(pod("b", "v2"))),
        (2600, News::Ready(pod("b", "v2"))),
        (2620, deployment("v2", None, false)),
        (2700, deployment("v2", None, true)),
    ]
}

fn read(story: &[(u64, News)]) -> Result<Course, String> {
    let sent = Instant::now();
    let arrival = |(ms, news): &(u64, News)| Arrival {
        at: sent + Duration::from_millis(*ms),
        news: news.clone(),
    };
    let arrivals: Vec<Arrival> = story.iter().map(arrival).collect();
    course(sent, &arrivals, "v2", &[1, 2]).map_err(|failure| failure.to_string())
}

#[test]
fn a_release_is_read_from_its_record() {
    let course = read(&release()).unwrap();
    let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-6, "{found}");
    near(course.first_pod, 0.060);
    near(course.readiness, 1.0 + 1.5);
    near(course.whole, 2.7);
    assert_eq!(course.next_batch.len(), 1);
    near(course.next_batch[0], 0.020);
}

#[test]
fn what_was_not_seen_is_not_measured() {
    let without = |index: usize| {
        let mut story = release();
        story.remove(index);
        read(&story).unwrap_err()
    };
    assert!(without(11).contains("no end of v2"));
    assert!(without(9).contains("pod 2 of v2 was not seen ready"));
    assert!(without(8).contains("pod 2 of v2 was not seen created"));
    assert!(without(7).contains("batch 2 was not seen written"));
}

fn line(change: impl FnOnce(&mut Value)) -> Value {
    let mut line = json!({
        "kind": "Event", "stage": "ResponseComplete", "verb": "patch",
        "user": {"username": "system:serviceaccount:sluice-system:sluice-controller"},
        "userAgent": "sluice-controller/0.1.0",
        "objectRef": {"resource": "rollouts", "subresource": "status", "namespace": "n",
                      "name": "web"},
        "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": "2026-11-21T00:17:41.297850Z",
        "stageTimestamp": "2026-11-21T00:17:41.301850Z",
    });
    change(&mut line);
    line
}

fn entry(change: impl FnOnce(&mut Value)) -> Entry {
    serde_json::from_value(line(change)).unwrap()
}

#[test]
fn only_writes_of_sluice_count() {
    assert!(entry(|_| {}).is_counted());
    assert!(entry(|line| line["responseStatus"]["code"] = json!(409)).is_counted());
    assert!(!entry(|line| line["verb"] = json!("get")).is_counted());
    assert!(!entry(|line| line["user"]["username"] = json!("admin")).is_counted());
    assert!(!entry(|line| line["objectRef"]["resource"] = json!("leases")).is_counted());
    assert!(!entry(|line| line["objectRef"]["resource"] = json!("events")).is_counted());
    assert!(!entry(|line| line["stage"] = json!("ResponseStarted")).is_counted());
}

#[test]
fn a_review_is_known_by_its_webhook() {
    let by = |webhook: &str| {
        let key = "mutation.webhook.admission.k8s.io/round_0_index_0";
        let text = json!({"configuration": "sluice", "webhook": webhook, "mutated": false});
        entry(|line| line["annotations"] = json!({ key: text.to_string() }))
    };
    assert!(by("workloads.sluice.dev").was_reviewed_by("workloads.sluice.dev"));
    assert!(!by("other.example").was_reviewed_by("workloads.sluice.dev"));
    assert!(!entry(|_| {}).was_reviewed_by("workloads.sluice.dev"));
}

#[test]
fn the_log_is_read_from_its_end_and_by_whole_lines() {
    let path = std::env::temp_dir().join(format!("sluice-bench-{}.log", std::process::id()));
    std::fs::write(&path, "what was before\n").unwrap();
    let mut audit = Audit::open(&path).unwrap();
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    let text = line(|_| {}).to_string();
    let (begin, end) = text.split_at(20);
    file.write_all(begin.as_bytes()).unwrap();
    audit.read_on().unwrap();
    assert_eq!(audit.entries.len(), 0);
    file.write_all(format!("{end}\n").as_bytes()).unwrap();
    audit.read_on().unwrap();
    assert_eq!(audit.entries.len(), 1);
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_timeline_tells_who_wrote_when() {
    let later = entry(|line| {
        line["requestReceivedTimestamp"] = json!("2026-11-21T00:17:41.397850Z");
        line["stageTimestamp"] = json!("2026-11-21T00:17:41.400350Z");
    });
    let told = timeline(&[&entry(|_| {}), &later]);
    let last = told.lines().last().unwrap();
    assert!(last.trim_start().starts_with("100.0       2.5   200"), "{last}");
    assert!(last.ends_with("(sluice-controller)  patch rollouts/status web"), "{last}");
}

fn full() -> Report {
    let mut report = Report::default();
    report.take(Ok(ALL.iter().map(|key| (*key, 0.0)).collect()));
    report
}

#[test]
fn a_missed_target_is_marked_and_no_failure() {
    let mut report = full();
    report.take(Ok(vec![(Key::FirstPod, 100.0), (Key::NextBatch, 50.1)]));
    let table = report.to_string();
    assert!(report.is_complete());
    let line = |word: &str| table.lines().find(|line| line.contains(word)).unwrap().to_owned();
    assert!(line("first new pod").ends_with("reached"), "{table}");
    assert!(line("next one's write").ends_with("MISSED"), "{table}");
}

#[test]
fn what_is_not_measured_is_a_failure() {
    assert!(full().is_complete());
    assert!(!Report::default().is_complete());
    let table = Report::default().to_string();
    assert!(table.lines().skip(1).all(|line| line.ends_with("NOT MEASURED")), "{table}");
    let mut report = full();
    report.take(Err(unmeasured("a reason")));
    assert!(!report.is_complete());
}

#[test]
fn the_file_has_flat_numbers() {
    let mut report = full();
    report.take(Ok(vec![(Key::AddedMedian, 0.123_456)]));
    let file = report.to_json();
    let names = [
        "first_pod_p50_ms",
        "next_batch_p50_ms",
        "release_seconds",
        "native_release_seconds",
        "pod_readiness_sum_seconds",
        "writes_per_release",
        "webhook_added_p50_ms",
        "webhook_added_p99_ms",
        "controller_rss_mib",
        "webhook_rss_mib",
    ];
    assert!(names.iter().all(|name| file[name].is_number()), "{file}");
    assert_eq!(file["webhook_added_p50_ms"], json!(0.123));
}

#[test]
fn memory_is_read_in_mib() {
    let status = "Name:\tcontroller\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\n";
    assert_eq!(resident(status), Some(10.0));
    assert_eq!(resident("Name:\tcontroller\n"), None);
}

#[test]
fn processor_time_is_read_past_a_name_with_spaces() {
    let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 3 0 99 1 2";
    assert_eq!(processor(stat), Some(2.0));
    assert_eq!(processor("7 (a) S 1"), None);
}
