//! A Rollout is played as it is written.

use std::path::PathBuf;

use crds::IntOrPercent;

use super::{Options, lines, read, story};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/examples/rollout.yaml");

fn options() -> Options {
    Options {
        filename: PathBuf::from(EXAMPLE),
        replicas: 10,
        max_surge: IntOrPercent::Count(1),
        max_unavailable: IntOrPercent::Count(0),
    }
}

#[test]
fn the_story_says_what_the_rollout_says() {
    let rollout = read(&options().filename).unwrap();
    let expected = "\
apply v1 replicas=10 surge=1 unavailable=0
tick 10s
rollout batches=1/manual,20%/10m,50%,100%
tick 10s
apply v2
finish
";
    assert_eq!(story(&rollout.spec, &options()), expected);
}

#[test]
fn the_timeline_goes_from_the_update_to_the_release() {
    let rollout = read(&options().filename).unwrap();
    let script: plan::sim::Script = story(&rollout.spec, &options()).parse().unwrap();
    let world = plan::sim::Options {
        planner: Some(plan::plan),
        record: true,
        ..plan::sim::Options::default()
    };
    let outcome = script.play(&world);
    assert!(outcome.violation.is_none());
    let lines = lines(&outcome.timeline);
    assert!(lines.first().unwrap().ends_with("apply v2"), "{lines:#?}");
    let at = |text: &str| lines.iter().position(|line| line.contains(text)).unwrap();
    assert!(at("batch 1 of 4") < at("human  promote"));
    assert!(at("human  promote") < at("batch 2 of 4"));
    assert!(at("batch 4 of 4") < at("Released: revision v2"));
}
