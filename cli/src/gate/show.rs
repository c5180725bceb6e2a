//! A gate that was tried, as a person reads it: the queries, every sample with its labels, the
//! verdict. Pure: text out.

use crds::Gate;
use crds::gates::HookGate;
use gate::Answer;
use gate::answer::{Data, Series};
use gate::verdict::Asked;

use super::Tried;

/// All of it.
pub(super) fn tried(gate: &Gate, tried: &Tried) -> String {
    let mut lines = vec![format!("gate {}", gate.name)];
    let mut add = |what: &str, text: &str| lines.push(format!("  {what:<9} {text}"));
    if let Some(answered) = &tried.answered {
        let ask = &answered.ask;
        add("provider", &ask.provider);
        add("window", &format!("{} s", ask.window.as_secs_f64()));
        add("query", &ask.query);
        samples(&answered.asked).iter().for_each(|sample| add("", sample));
        if let (Some(query), Some(asked)) = (&ask.requests, &answered.requests) {
            add("requests", query);
            samples(asked).iter().for_each(|sample| add("", sample));
        }
    }
    let said = &tried.measurement;
    let dry = if gate.dry_run { " (dryRun: it decides nothing)" } else { "" };
    add("verdict", &format!("{:?} {}: {}{dry}", said.verdict, said.reason, said.told));
    lines.join("\n")
}

/// A hook is not tried: what it sets off is not known here, and nobody here can sign it.
pub(super) fn unsent(gate: &Gate, hook: &HookGate) -> String {
    format!(
        "gate {}\n  hook      {}\n  not sent  a hook may have effects, and only Sluice reads the \
         Secret that signs it",
        gate.name, hook.provider
    )
}

/// A line for each sample, and for each remark on them.
fn samples(asked: &Asked) -> Vec<String> {
    let Answer { data, warnings, infos } = match asked {
        Ok(answer) => answer,
        Err(trouble) => return vec![format!("-> {trouble}")],
    };
    let mut lines: Vec<String> = match data {
        Data::Scalar(sample) => vec![format!("-> {}", sample.value)],
        Data::Vector(series) if series.is_empty() => vec!["-> no series".to_owned()],
        Data::Vector(series) => series.iter().map(line).collect(),
    };
    lines.extend(warnings.iter().map(|warning| format!("Prometheus warns: {warning}")));
    lines.extend(infos.iter().map(|info| format!("Prometheus remarks: {info}")));
    lines
}

fn line(series: &Series) -> String {
    let labels: Vec<String> =
        series.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("-> {} {{{}}}", series.sample.value, labels.join(","))
}
