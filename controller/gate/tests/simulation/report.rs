//! The tables of the README, from the trials. Owns their text; measures nothing.

use crate::judges::{ALPHA, USUAL};
use crate::shipped::{LEAST, MARGIN, RATIO, Shipped};
use crate::stream::{LOOKS, PAST};
use crate::streams::Claim;
use crate::trial::{BAD, FALSE, HEALTHY, Trial, WORSE};

/// Everything that follows the marker.
pub fn report(trials: &[Trial]) -> String {
    let tables = [healthy(trials), by_alpha(trials), shipped(trials), equal(trials)];
    let sections: Vec<_> =
        std::iter::once(premises()).chain(tables).chain([notes(trials)]).collect();
    sections.join("\n")
}

fn premises() -> String {
    let usual = USUAL.map(|usual| format!("- `{}`: {},\n", usual.name, usual.told)).concat();
    format!(
        "\
Of each stream {HEALTHY} healthy releases and {BAD} bad ones, of {LOOKS} looks each. Unless said
otherwise one pod of ten is new and each serves 100 requests between two looks; a bad version
has {WORSE} times the errors, or {WORSE} times the odds of a slow request: all its requests take
a quarter longer. Alpha is {ALPHA}, ratio 1 unless said otherwise, margin 0: every
difference counts. What is shipped lets a ratio of {RATIO} and a margin of {MARGIN} go, and has a
table of its own. Noise is learned, with stable's {PAST} intervals before the release (past) or
without them (none).

The usual gates abort when

{usual}
each with the threshold that gives just the rate of false aborts it is compared at, found for
each stream by itself on its healthy releases. Between two possible shares lies more than one
rate; then both thresholds are tried and their results weighted.
"
    )
}

fn table(title: &str, head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[&str]| format!("| {} |\n", cells.join(" | "));
    let rule = vec!["---"; head.len()];
    let rows = rows.map(|row| line(&row.iter().map(String::as_str).collect::<Vec<_>>()));
    format!("### {title}\n\n{}{}{}", line(head), line(&rule), rows.collect::<String>())
}

fn healthy(trials: &[Trial]) -> String {
    let title = format!("False aborts of {HEALTHY} healthy releases, {FALSE} allowed");
    let head = ["Stream", "dispersion", "given", "learned, past", "learned, none"];
    let row = |trial: &Trial| {
        let unproved = || "-".to_owned();
        let given = trial.healthy.proved.map_or_else(unproved, |aborts| aborts.to_string());
        let [past, none] = trial.healthy.learned.map(|aborts| aborts.to_string());
        let dispersion = trial.stream.proved_dispersion().unwrap_or_else(unproved);
        vec![trial.stream.name.into(), dispersion, given, past, none]
    };
    let says = "\nGiven: `Noise::AtMost` the dispersion in the second column; that is proved.\n";
    table(&title, &head, trials.iter().map(row)) + says
}

fn by_alpha(trials: &[Trial]) -> String {
    let title =
        "At ratio 1 and margin 0: bad versions found, and requests of the new version until then";
    let head = ["Stream", "found, past", "none", "requests, past", "none", "best usual gate"];
    let row = |trial: &Trial| {
        let ([past, none], requests) =
            (trial.bad.found.map(percent), trial.bad.by_alpha.map(whole));
        let [requests_past, requests_none] = requests;
        let usual = trial.bad.usual_by_alpha.into_iter().zip(USUAL);
        let (best, gate) = usual.min_by(|one, other| one.0.total_cmp(&other.0)).unwrap();
        let best = format!("{} ({})", whole(best), gate.name);
        vec![trial.stream.name.into(), past, none, requests_past, requests_none, best]
    };
    let says = "
A release where nothing is found counts with all its requests. The usual gates are set to the
measured false aborts of the comparison with a past, or to 1 where it has none.
";
    table(title, &head, trials.iter().map(row)) + says
}

fn shipped(trials: &[Trial]) -> String {
    let title = format!("As shipped: ratio {RATIO}, margin {MARGIN}, from {LEAST} requests on");
    let head = ["Stream", "false, past", "none", "found, past", "none", "requests, past", "none"];
    let row = |trial: &Trial| {
        let Shipped { aborts, found, requests } = &trial.shipped;
        // The ratio in a name is not the one here.
        let name = trial.stream.name.split(", ratio").next().unwrap_or_default();
        let numbers = aborts.map(|aborts| aborts.to_string()).into_iter();
        let numbers = numbers.chain(found.map(percent)).chain(requests.map(whole));
        std::iter::once(name.to_owned()).chain(numbers).collect()
    };
    let says = format!(
        "
False: aborts of {HEALTHY} healthy releases, {FALSE} allowed. Twice 1 % of errors is little above
what these terms let go, 1.3 %, so that more requests are needed to be sure of it. Of pods that
stay 50 % apart more than alpha is aborted here too, with five of them new as with one.
"
    );
    table(&title, &head, trials.iter().map(row)) + &says
}

/// Of the bad ones.
fn percent(found: usize) -> String {
    format!("{:.0} %", 100.0 * found as f64 / BAD as f64)
}

fn equal(trials: &[Trial]) -> String {
    let title = format!("At {FALSE} false aborts of {HEALTHY} each: requests until it is found");
    let names = USUAL.map(|usual| usual.name);
    let head: Vec<_> = ["Stream", "past", "none"].into_iter().chain(names).collect();
    let row = |trial: &Trial| {
        let numbers = trial.bad.equal.into_iter().chain(trial.bad.usual).map(whole);
        std::iter::once(trial.stream.name.to_owned()).chain(numbers).collect()
    };
    table(&title, &head, trials.iter().map(row))
}

fn notes(trials: &[Trial]) -> String {
    let note = |trial: &Trial| {
        let (what, why) = match trial.stream.claim {
            Claim::Sooner => return None,
            Claim::UsualSooner(why) => ("a usual gate is sooner", why),
            Claim::Beyond(why) => ("alpha does not hold", why),
        };
        Some(wrapped(&format!("- {}: {what}, since {why}", trial.stream.name)))
    };
    let notes: String = trials.iter().filter_map(note).collect();
    format!(
        "\
On all other streams the comparison with a past is sooner than each usual gate, at both rates
of false aborts. The exceptions:

{notes}"
    )
}

/// Lines of at most 96 characters, those of a list's item.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        if lines.last().unwrap().len() + word.len() > 94 {
            lines.push(" ".into());
        }
        let line = lines.last_mut().unwrap();
        line.push_str(if line.is_empty() { "" } else { " " });
        line.push_str(word);
    }
    lines.join("\n") + "\n"
}

fn whole(number: f64) -> String {
    format!("{number:.0}")
}
