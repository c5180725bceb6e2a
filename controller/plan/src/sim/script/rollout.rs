//! How stories write a Rollout: `rollout batches=1/manual,20%/30s,100% [deadline=1m]
//! [on-failure=pause] [gate=errors/10s/3[/background|/dry|/compare|/template|/hook|/confirm]]
//! [on-unknown=abort] [bake=30s] [paused]`.

use std::fmt;

use crds::gates::{Compare, ErrorRatio, HookGate, PrometheusGate, TemplateKind, TemplateRef};
use crds::rollout::{Batch, OnFailure, Pause, Strategy, WorkloadRef};
use crds::{Gate, RolloutSpec};
use gate::history::OnUnknown;

use super::{Unreadable, number, quantity};
use crate::sim::metrics::{HOOK, MAX, QUERY, TEMPLATE};
use crate::sim::world::NAME;

pub(super) fn read(words: &[&str]) -> Result<RolloutSpec, Unreadable> {
    let mut spec = RolloutSpec {
        workload_ref: WorkloadRef {
            api_version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
            name: NAME.to_owned(),
        },
        paused: false,
        strategy: Strategy { batches: Vec::new() },
        progress_deadline: None,
        on_failure: OnFailure::Abort,
        gates: Vec::new(),
        on_unknown: OnUnknown::Pause,
        bake: None,
        routes: Vec::new(),
    };
    for word in words {
        match word.split_once('=') {
            Some(("batches", batches)) => {
                spec.strategy.batches = batches.split(',').map(batch).collect::<Result<_, _>>()?;
            }
            Some(("deadline", time)) => spec.progress_deadline = Some(number(time)?),
            Some(("gate", words)) => spec.gates.push(gate(words)?),
            Some(("on-unknown", "abort")) => spec.on_unknown = OnUnknown::Abort,
            Some(("bake", time)) => spec.bake = Some(number(time)?),
            Some(("on-failure", "pause")) => spec.on_failure = OnFailure::Pause,
            None if *word == "paused" => spec.paused = true,
            _ => return Err(Unreadable((*word).to_owned())),
        }
    }
    if spec.strategy.batches.is_empty() {
        return Err(Unreadable("rollout without batches".to_owned()));
    }
    Ok(spec)
}

fn batch(word: &str) -> Result<Batch, Unreadable> {
    let (replicas, pause) = word.split_once('/').unwrap_or((word, ""));
    let pause = match pause {
        "" => None,
        "manual" => Some(Pause { duration: None }),
        time => Some(Pause { duration: Some(number(time)?) }),
    };
    Ok(Batch { replicas: quantity(replicas)?, traffic: None, pause })
}

/// `errors/10s/3`, with `/background`, `/dry`, `/compare`, `/template`, `/hook` or `/confirm`
/// behind it.
fn gate(words: &str) -> Result<Gate, Unreadable> {
    let mut parts = words.split('/');
    let mut part = || parts.next().ok_or_else(|| Unreadable(words.to_owned()));
    let (name, interval, count) = (part()?.to_owned(), number(part()?)?, number(part()?)?);
    let more: Vec<&str> = parts.collect();
    let compares = more.contains(&"compare");
    let prometheus = PrometheusGate {
        provider: None,
        query: (!compares).then(|| QUERY.to_owned()),
        error_ratio: compares.then(ErrorRatio::default),
        latency: None,
        max: if compares { None } else { Some(number(MAX)?) },
        min: None,
        compare: compares.then(Compare::default),
        window: None,
        min_requests: None,
        requests: None,
    };
    let template = more.contains(&"template").then(|| TemplateRef {
        kind: TemplateKind::GateTemplate,
        name: TEMPLATE.to_owned(),
        args: [("max".to_owned(), MAX.to_owned())].into(),
    });
    let confirm = more.contains(&"confirm");
    let hook = (confirm || more.contains(&"hook"))
        .then(|| HookGate { provider: HOOK.to_owned(), confirm });
    Ok(Gate {
        name,
        prometheus: (template.is_none() && hook.is_none()).then_some(prometheus),
        template,
        hook,
        batches: Vec::new(),
        interval: Some(interval),
        count: Some(count),
        initial_delay: None,
        failed_limit: None,
        unknown_limit: None,
        error_limit: None,
        on_failure: None,
        on_unknown: None,
        background: more.contains(&"background"),
        dry_run: more.contains(&"dry"),
    })
}

pub(super) fn print(f: &mut fmt::Formatter<'_>, spec: &RolloutSpec) -> fmt::Result {
    f.write_str("rollout batches=")?;
    for (index, batch) in spec.strategy.batches.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(f, "{comma}{}", batch.replicas)?;
        match &batch.pause {
            None => {}
            Some(Pause { duration: None }) => f.write_str("/manual")?,
            Some(Pause { duration: Some(span) }) => write!(f, "/{span}")?,
        }
    }
    spec.progress_deadline.iter().try_for_each(|span| write!(f, " deadline={span}"))?;
    if spec.on_failure == OnFailure::Pause {
        f.write_str(" on-failure=pause")?;
    }
    if spec.on_unknown == OnUnknown::Abort {
        f.write_str(" on-unknown=abort")?;
    }
    spec.bake.iter().try_for_each(|span| write!(f, " bake={span}"))?;
    spec.gates.iter().try_for_each(|gate| print_gate(f, gate))?;
    if spec.paused { f.write_str(" paused") } else { Ok(()) }
}

fn print_gate(f: &mut fmt::Formatter<'_>, gate: &Gate) -> fmt::Result {
    write!(f, " gate={}", gate.name)?;
    gate.interval.iter().try_for_each(|interval| write!(f, "/{interval}"))?;
    write!(f, "/{}", gate.count.unwrap_or(1))?;
    if gate.template.is_some() {
        f.write_str("/template")?;
    }
    if let Some(hook) = &gate.hook {
        f.write_str(if hook.confirm { "/confirm" } else { "/hook" })?;
    }
    if gate.compares() {
        f.write_str("/compare")?;
    }
    if gate.background {
        f.write_str("/background")?;
    }
    if gate.dry_run { f.write_str("/dry") } else { Ok(()) }
}
