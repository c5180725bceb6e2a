//! What the controller's own writes mean: its annotation is taken as it is, and the fields follow.

use std::borrow::Cow;

use serde_json::Value;

use super::kind::Projected;
use super::wanted::{Labels, Live, Wanted};
use super::workload::Workload;
use super::{Verdict, reapply};
use crate::hold::Reading;
use crate::{Barred, Hold, HoldState, Revision};

pub(super) fn judge<'a, F: Projected>(
    old: &Workload<'a, F>,
    new: &Workload<'a, F>,
) -> Wanted<'a, F> {
    let as_written = Wanted::as_written(new);
    let as_before = Wanted { labels: Labels::AsWritten, ..Wanted::kept(old) };
    let mut wanted = match (&old.hold, &new.hold) {
        // Whoever wrote a newer schema means fields that this code cannot know.
        (_, Reading::Newer(_)) => Wanted { fields: Live::AsBefore, ..as_written },
        (Reading::Newer(_), _) => Wanted { fields: Live::AsBefore, ..as_before },
        (_, Reading::None) => Wanted { fields: released(old), ..as_written },
        (_, Reading::Hold(hold)) if is_sound::<F>(hold) => stated(old, hold, as_written),
        // The annotation is no hold: the one before stays.
        (Reading::Hold(hold), _) if is_sound::<F>(hold) => stated(old, hold, as_before),
        _ => as_before,
    };
    let meant = new.hold_text.is_some() || old.hold_text.is_some();
    wanted.verdict = if meant { Verdict::Written } else { Verdict::Untouched };
    wanted
}

/// What it carries as a template is one, and it is of this kind of workload.
fn is_sound<F: Projected>(hold: &Hold) -> bool {
    let of_kind = !hold.is_release() || F::held_in(&hold.state).is_some();
    of_kind && hold.template.as_ref().is_none_or(Value::is_object)
}

/// The hold is the one that counts, and `wanted` keeps its text.
fn stated<'a, F: Projected>(
    old: &Workload<'a, F>,
    hold: &Hold,
    wanted: Wanted<'a, F>,
) -> Wanted<'a, F> {
    let fields = match F::held_in(&hold.state) {
        Some(held) => Live::Are(F::held(held)),
        None => released(old),
    };
    let wanted = Wanted { fields, ..wanted };
    let Some(template) = &hold.template else { return wanted };
    let mut stored = Hold { template: None, ..hold.clone() };
    if let HoldState::Barred(barred) = &mut stored.state {
        bar_reapplied(barred, template, old);
    }
    Wanted {
        hold: Some(Cow::Owned(stored.to_text())),
        template: Some(Cow::Owned(template.clone())),
        ..wanted
    }
}

/// The fields once the fence is off: the user's own, out of the hold that ends.
fn released<F: Projected>(old: &Workload<F>) -> Live<F> {
    match old.fenced() {
        Some((_, fenced)) => Live::Are(F::restored(&fenced.original)),
        None => Live::AsWritten,
    }
}

/// Bars every template that applying the rejected manifest onto the stable one again may give.
fn bar_reapplied<F: Projected>(barred: &mut Barred, stable: &Value, rejected: &Workload<F>) {
    let at_stable = Revision::of_template(stable);
    let revisions = reapply::outcomes(stable, rejected).into_iter();
    let revisions = revisions.map(|template| Revision::of_template(&template));
    for revision in revisions.chain([rejected.revision()]) {
        if revision != at_stable && !barred.bars(&revision) {
            barred.also.push(revision);
        }
    }
}
