//! What a write of anybody but the controller means: people, kubectl, Helm, GitOps tools, HPAs. A
//! new template is held or put back; the hold and our labels stay; the projected fields stay as the
//! hold wants them and the user's values are remembered.

use std::borrow::Cow;

use super::Verdict;
use super::field::Field;
use super::kind::{HeldOf, Projected};
use super::wanted::{Live, Wanted};
use super::warning::Voice;
use super::wish::{self, Wish};
use super::workload::Workload;
use crate::contract::{ARMED_LABEL, ROLLOUT_LABEL};
use crate::hold::{Bar, Reading};
use crate::{Barred, Hold, HoldState, Revision};

pub(super) fn judge<'a, F: Projected>(
    old: &Workload<'a, F>,
    new: &Workload<'a, F>,
) -> Wanted<'a, F> {
    if !old.is_armed() {
        // Nobody but the controller arms a workload.
        return if new.is_armed() {
            noted(old, new, Wanted::kept(old))
        } else {
            Wanted::as_written(new)
        };
    }
    let wanted = match &old.hold {
        Reading::Newer(_) => newer(old, new),
        Reading::Hold(hold) => match (F::held_in(&hold.state), &hold.state) {
            (Some(held), _) => in_release(old, new, hold, held),
            (None, HoldState::Barred(barred)) => at_rest(old, new, Some(barred)),
            // The hold of another kind is none here.
            (None, _) => at_rest(old, new, None),
        },
        Reading::None | Reading::Malformed(_) => at_rest(old, new, None),
    };
    noted(old, new, wanted)
}

/// Tells a write that wanted other labels or another annotation of ours.
fn noted<'a, F: Projected>(
    old: &Workload<'a, F>,
    new: &Workload<'a, F>,
    mut wanted: Wanted<'a, F>,
) -> Wanted<'a, F> {
    let label = |name| old.label(name) != new.label(name);
    let text = new.hold_text;
    let annotation = text != old.hold_text && text != wanted.hold.as_deref();
    if annotation || label(ARMED_LABEL) || label(ROLLOUT_LABEL) {
        wanted.warnings.push(voice(old).kept());
        if wanted.verdict == Verdict::Untouched {
            wanted.verdict = Verdict::Kept;
        }
    }
    wanted
}

fn voice<'a, F: Projected>(old: &Workload<'a, F>) -> Voice<'a> {
    Voice::of(old.rollout())
}

/// A hold that this code cannot read: nothing that it may govern changes.
fn newer<'a, F: Projected>(old: &Workload<'a, F>, new: &Workload<'a, F>) -> Wanted<'a, F> {
    let wanted = Wanted { fields: Live::AsBefore, ..Wanted::kept(old) };
    if old.fields == new.fields {
        return wanted;
    }
    Wanted { verdict: Verdict::Overridden, warnings: vec![voice(old).newer()], ..wanted }
}

fn at_rest<'a, F: Projected>(
    old: &Workload<'a, F>,
    new: &Workload<'a, F>,
    bar: Option<&Barred>,
) -> Wanted<'a, F> {
    let meant = wish::at_rest(old, new);
    let mut wanted = Wanted { fields: Live::Are(meant.clone()), ..Wanted::kept(old) };
    if meant != new.fields {
        wanted.verdict = Verdict::Overridden;
    }
    let Some(revision) = changed(old, new) else {
        if wanted.verdict == Verdict::Overridden {
            wanted.warnings.push(voice(old).unfenced());
        }
        return wanted;
    };
    if let Some(bar) = bar.filter(|bar| bar.bars(&revision)) {
        wanted.template = Some(Cow::Borrowed(old.template));
        wanted.verdict = Verdict::PutBack;
        wanted.warnings.push(match bar.why {
            Bar::Rejected => voice(old).put_back(),
            Bar::Dormant => voice(old).dormant(new.replicas),
        });
        return wanted;
    }
    // With no pods there is nothing to let through in batches: the change is complete at once.
    if old.reach() == 0 || meant.reach(new.replicas) == 0 {
        return wanted;
    }
    // What the apiserver refuses at rest must not get past it under a fence.
    let Some(original) = own(&meant).filter(F::is_acceptable) else { return wanted };
    let held = F::first(revision, old.revision(), original);
    wanted.fields = Live::Are(F::held(&held));
    wanted.hold = Some(Cow::Owned(Hold::of_release(F::state(held)).to_text()));
    wanted.verdict = Verdict::Held;
    wanted.warnings.push(voice(old).held());
    wanted
}

/// The user's own values, and the apiserver's defaults where a fence without a hold hides them.
/// None for a strategy without batches.
fn own<F: Projected>(meant: &F) -> Option<F::Original> {
    if meant.is_fenced() { meant.unfenced().as_original() } else { meant.as_original() }
}

fn in_release<'a, F: Projected>(
    old: &Workload<'a, F>,
    new: &Workload<'a, F>,
    hold: &Hold,
    was: &HeldOf<F>,
) -> Wanted<'a, F> {
    let next = match changed(old, new) {
        Some(revision) if revision != was.revision => arrived::<F>(was, revision),
        _ => was.clone(),
    };
    let target = F::scaled(&next.target, old.replicas, new.replicas);
    let next = HeldOf::<F> { target, ..next };
    let mut wanted = Wanted::kept(old);
    if hold.template.is_some() && next == *was {
        // The controller's write went in unseen by us: it will repeat it, template and all.
        return Wanted { fields: Live::AsBefore, ..wanted };
    }
    if let Some(seen) = own_output(new, hold, &next) {
        wanted.hold = Some(Cow::Owned(seen.to_text()));
    } else {
        let wish = wish::in_release(old, new, hold, was);
        if wish.original != was.original && !F::is_acceptable(&wish.original) {
            // Without the fence the apiserver refuses these values, and says why.
            let fields = Live::Are(F::restored(&wish.original));
            return Wanted { fields, verdict: Verdict::Overridden, ..wanted };
        }
        let after = HeldOf::<F> { original: wish.original, ..next.clone() };
        wanted.fields = Live::Are(F::held(&after));
        wanted.warnings = told(old, new, &after, &wish);
        if !wanted.warnings.is_empty() {
            wanted.verdict = Verdict::Overridden;
        }
        let after = remembered(old, new, hold, was, after);
        wanted.hold = if after == *hold { wanted.hold } else { Some(Cow::Owned(after.to_text())) };
    }
    if next.revision != was.revision {
        wanted.verdict = Verdict::Held;
        let voice = voice(old);
        let warning = if next.rollback { voice.rolled_back() } else { voice.replaced() };
        wanted.warnings.insert(0, warning);
    }
    wanted
}

/// The hold once another template has come: nothing more moves before the controller has planned.
fn arrived<F: Projected>(was: &HeldOf<F>, revision: Revision) -> HeldOf<F> {
    let rollback = revision == was.stable;
    let batch = if rollback { was.batch } else { 0 };
    let target = F::stopped(&was.target);
    HeldOf::<F> { revision, rollback, batch, target, ..was.clone() }
}

/// The hold in the new object, if this code itself made that of this write a moment ago: another
/// webhook came after us and we are asked again, or a policy projected before us.
fn own_output<'a, F: Projected>(
    new: &'a Workload<F>,
    hold: &Hold,
    next: &HeldOf<F>,
) -> Option<&'a Hold> {
    let (seen, fenced) = new.fenced()?;
    let restated = [hold.restated, hold.restated.wrapping_add(1)];
    let original = fenced.original;
    let is_ours = seen != hold
        && seen.schema == hold.schema
        && seen.template.is_none()
        && restated.contains(&seen.restated)
        && *fenced == HeldOf::<F> { original, ..next.clone() }
        && new.fields == F::held(fenced)
        && (F::is_acceptable(&original) || original == next.original);
    is_ours.then_some(seen)
}

/// The hold to store. Where originals and template do not change, a second pass over our output
/// could take a projected value for one that the write states: then the hold has to differ.
fn remembered<F: Projected>(
    old: &Workload<F>,
    new: &Workload<F>,
    hold: &Hold,
    was: &HeldOf<F>,
    after: HeldOf<F>,
) -> Hold {
    let fields = F::held(&after);
    let unchanged = after == *was;
    let mut after = Hold { state: F::state(after), template: None, ..hold.clone() };
    if unchanged && fields != new.fields {
        let mut output = new.clone();
        output.fields = fields;
        output.hold = Reading::Hold(Box::new(hold.clone()));
        if wish::in_release(old, &output, hold, was).original != was.original {
            after.restated = hold.restated.wrapping_add(1);
        }
    }
    after
}

/// What a write is told whose own values do not become the live ones.
fn told<F: Projected>(
    old: &Workload<F>,
    new: &Workload<F>,
    after: &HeldOf<F>,
    wish: &Wish<F>,
) -> Vec<String> {
    let voice = voice(old);
    let mut warnings = Vec::new();
    let overridden: Vec<_> =
        wish.overridden.iter().copied().filter(|field| *field != Field::Paused).collect();
    if !overridden.is_empty() {
        warnings.push(voice.overridden(&overridden));
    }
    if F::stays_stopped(&old.fields, &new.fields, &after.target) {
        warnings.push(voice.still_paused());
    }
    if let (None, Some(word)) = (old.fields.refused(), new.fields.refused()) {
        warnings.push(voice.refused(word));
    }
    warnings
}

/// The revision that the write brings, if it is another than the one before.
fn changed<F: Projected>(old: &Workload<F>, new: &Workload<F>) -> Option<Revision> {
    if old.template == new.template {
        return None;
    }
    let revision = new.revision();
    (revision != old.revision()).then_some(revision)
}
