//! From a number or a percentage to a number of pods: partition, maxUnavailable and maxSurge each
//! round in a way of their own. Pure.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::spec::UpdateStrategy;

/// How many pods stay old. A percentage leaves at least one new pod, unless it says 100% or there
/// is only one pod at all. What is neither holds nothing.
pub fn kept_old(partition: Option<&IntOrString>, replicas: i32) -> i32 {
    let kept = match partition {
        None => 0,
        Some(IntOrString::Int(count)) => *count,
        Some(IntOrString::String(text)) => {
            let all = ceil_of(text, replicas).unwrap_or(0);
            let rounded_to_all = replicas > 1 && all == replicas && text != "100%";
            if rounded_to_all { replicas - 1 } else { all }
        }
    };
    kept.clamp(0, replicas.max(0))
}

/// Floats are allowed here, and here only.
fn ceil_of(text: &str, replicas: i32) -> Option<i32> {
    let percent: f64 = text.strip_suffix('%')?.parse().ok()?;
    let share = percent * f64::from(replicas) / 100.0;
    // Saturates, and NaN is 0: whatever comes of it is clamped.
    Some(share.ceil() as i32)
}

/// maxSurge; a pause takes it away.
pub fn surge(strategy: &UpdateStrategy, replicas: i32) -> i32 {
    let value = if strategy.paused { None } else { strategy.max_surge.as_ref() };
    value.map_or(0, |value| scaled(value, replicas, Round::Up))
}

/// maxUnavailable of updates, where so much surge is in use.
pub fn unavailable(strategy: &UpdateStrategy, replicas: i32, surge: i32) -> i32 {
    let round = if surge == 0 { Round::Up } else { Round::Down };
    let default = IntOrString::String("20%".to_owned());
    scaled(strategy.max_unavailable.as_ref().unwrap_or(&default), replicas, round)
}

/// maxUnavailable of scaling up: without limit, where it is not stated.
pub fn scale_unavailable(value: Option<&IntOrString>, replicas: i32) -> i32 {
    value.map_or(i32::MAX, |value| scaled(value, replicas, Round::Up))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    Up,
    Down,
}

fn scaled(value: &IntOrString, replicas: i32, round: Round) -> i32 {
    match value {
        IntOrString::Int(count) => *count,
        IntOrString::String(text) => {
            let percent = text.strip_suffix('%').and_then(|number| number.parse::<i64>().ok());
            let share = percent.unwrap_or(0).saturating_mul(i64::from(replicas));
            let count = share.div_euclid(100);
            let more = i64::from(round == Round::Up && share.rem_euclid(100) != 0);
            i32::try_from(count + more).unwrap_or(i32::MAX)
        }
    }
}
