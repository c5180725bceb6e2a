//! The canary Ingresses of ours, each beside a route whose hold asks for it: brought in line once
//! the route itself is. Which route asks for one, and how it has to be, was observed.

use crds::RouteRef;

use crate::action::Action;
use crate::draft::Draft;
use crate::observed::{CanaryWanted, RouteSeen, Traffic};
use crate::waiting::Wait;

/// The one that the route asks for, and no other. A controller takes one only: another goes first.
pub(super) fn bring(
    draft: &mut Draft<'_>,
    traffic: &Traffic,
    route: &RouteRef,
    seen: &RouteSeen,
) -> Option<Wait> {
    let dropped = drop_others(draft, traffic, route, seen.canary.as_ref());
    let wrong = seen.canary.as_ref().filter(|wanted| !wanted.right);
    let written = wrong.map(|wanted| {
        let (uid, name) = (seen.uid.clone(), wanted.name.clone());
        draft.act(Action::WriteCanary { route: route.clone(), uid, name });
        moving(route)
    });
    dropped.or(written)
}

/// None beside this route.
pub(super) fn drop_all(draft: &mut Draft<'_>, traffic: &Traffic, route: &RouteRef) -> Option<Wait> {
    drop_others(draft, traffic, route, None)
}

fn drop_others(
    draft: &mut Draft<'_>,
    traffic: &Traffic,
    route: &RouteRef,
    wanted: Option<&CanaryWanted>,
) -> Option<Wait> {
    let mine = traffic.canaries.iter().filter(|seen| seen.route == *route);
    let mut wait = None;
    for seen in mine.filter(|seen| wanted.is_none_or(|wanted| wanted.name != seen.name)) {
        let (name, uid) = (seen.name.clone(), seen.uid.clone());
        draft.act(Action::DropCanary { route: route.clone(), name, uid });
        wait = Some(moving(route));
    }
    wait
}

fn moving(route: &RouteRef) -> Wait {
    let why = "its canary Ingress is being written".to_owned();
    Wait::Route { route: route.title(), why }
}
