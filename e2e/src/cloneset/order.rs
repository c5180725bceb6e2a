//! Which pods go first: when the set shrinks, and when it is updated. Pure.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::core::{Selector, SelectorExt};

use super::member::Member;
use super::spec::PriorityStrategy;

/// Sorts pods of one revision for a deletion: first those that serve least, then those that share
/// their node with most others.
pub fn for_deletion(members: &mut [&Member], min_ready: i32, now: Timestamp) {
    let ranks = same_node_ranks(members);
    let rank = |member: &Member| ranks.get(&member.name).copied().unwrap_or(0);
    members.sort_by(|a, b| {
        started(a, b)
            .then_with(|| a.is_available(min_ready, now).cmp(&b.is_available(min_ready, now)))
            .then_with(|| readiness(a, b))
            .then_with(|| a.deletion_cost.cmp(&b.deletion_cost))
            .then_with(|| rank(b).cmp(&rank(a)))
            .then_with(|| youth(a, b))
    });
}

/// Sorts pods for an update: the youngest first, then by priority.
pub fn for_update(members: &mut [&Member], priority: &PriorityStrategy) {
    members.sort_by(|a, b| started(a, b).then_with(|| readiness(a, b)).then_with(|| youth(a, b)));
    // A stable sort: equal weights keep their order.
    members.sort_by_key(|member| Reverse(weight(member, priority)));
}

fn weight(member: &Member, priority: &PriorityStrategy) -> i64 {
    let matching = priority.weight_priority.iter().filter(|term| {
        let selector = Selector::try_from(term.match_selector.clone());
        selector.is_ok_and(|selector| selector.matches(&member.labels))
    });
    matching.map(|term| term.weight).sum()
}

/// Not assigned, then pending, unknown, running.
fn started(a: &Member, b: &Member) -> Ordering {
    a.node.is_some().cmp(&b.node.is_some()).then_with(|| a.phase.cmp(&b.phase))
}

fn readiness(a: &Member, b: &Member) -> Ordering {
    a.ready_since.is_some().cmp(&b.ready_since.is_some())
}

/// The most recently ready, the most often restarted, the most recently created.
fn youth(a: &Member, b: &Member) -> Ordering {
    let ready = match (a.ready_since, b.ready_since) {
        (Some(a), Some(b)) => b.cmp(&a),
        _ => Ordering::Equal,
    };
    // A pod without a time of creation is the youngest of all.
    let created = |member: &Member| member.created.unwrap_or(Timestamp::MAX);
    ready.then_with(|| b.restarts.cmp(&a.restarts)).then_with(|| created(b).cmp(&created(a)))
}

/// On a node with several pods all but the last one to go have a rank, the first the highest.
fn same_node_ranks(members: &[&Member]) -> BTreeMap<String, usize> {
    let mut nodes: BTreeMap<&str, Vec<&Member>> = BTreeMap::new();
    for member in members {
        if let Some(node) = &member.node {
            nodes.entry(node).or_default().push(member);
        }
    }
    let mut ranks = BTreeMap::new();
    for mut together in nodes.into_values() {
        together.sort_by(|a, b| {
            started(a, b)
                .then_with(|| readiness(a, b))
                .then_with(|| a.deletion_cost.cmp(&b.deletion_cost))
                .then_with(|| youth(a, b))
        });
        together.pop();
        let highest = together.len();
        let ranked = together.into_iter().enumerate();
        ranks.extend(ranked.map(|(place, member)| (member.name.clone(), highest - place)));
    }
    ranks
}
