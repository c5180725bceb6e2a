//! What a write to a route is told that does not simply go through. Owns the wording; each is one
//! line of less than 120 characters, which is what clients show without breaking it.

use super::split::Unfit;

const LIMIT: usize = 120;

pub(super) fn kept(rollout: Option<&str>) -> String {
    say(rollout, "labels and annotations of sluice.dev stay as {} has them")
}

pub(super) fn newer(rollout: Option<&str>) -> String {
    say(rollout, "held by a newer version of Sluice: what belongs to {} stays as it was")
}

pub(super) fn taken(rollout: Option<&str>) -> String {
    say(rollout, "these rules are taken, with the weights of {} until it is done")
}

pub(super) fn weights(rollout: Option<&str>) -> String {
    say(rollout, "weights and rules that {} has put in stay until it is done")
}

pub(super) fn unfit(rollout: Option<&str>, unfit: &Unfit) -> String {
    let reason = unfit.to_string();
    let line = say(rollout, &format!("{{}} cannot split this route: {reason}"));
    if line.len() < LIMIT { line } else { format!("this route cannot be split: {reason}") }
}

fn say(rollout: Option<&str>, prose: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_name = |name: &&str| !name.is_empty() && name.len() <= 63 && name.bytes().all(plain);
    let name =
        rollout.filter(is_name).map_or("its Rollout".into(), |name| format!("Rollout {name}"));
    let line = prose.replace("{}", &name);
    if line.len() < LIMIT { line } else { prose.replace("{}", "its Rollout") }
}
