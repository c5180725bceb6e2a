//! A line of notices for each Notifier: one is told at a time, in order, and again after a growing
//! wait, so that one that does not answer keeps no other waiting. Bounded; sends nothing, reads no
//! clock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crds::notifier::NotifierSpec;
use runtime::Backoff;
use tokio::time::Instant;

use super::Notice;
use crate::endpoint::Said;

/// More than this at once is no news any more.
const LINE_MAX: usize = 256;
/// So often one is tried: for half a minute and more.
const ATTEMPTS_MAX: u32 = 6;
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was taken.
    Delivered,
    /// Not now.
    Later(String),
    /// Not at all.
    Refused(String),
}

/// All lines, by the Notifier's name.
#[derive(Default)]
pub(super) struct Lines(BTreeMap<String, Line>);

struct Line {
    waiting: VecDeque<Arc<Notice>>,
    /// The first of them is on its way.
    sending: bool,
    /// How often it was tried in vain.
    failures: u32,
    backoff: Backoff,
    /// It is not tried before.
    not_before: Option<Instant>,
}

impl Ended {
    /// What an answer comes to. Words of strangers go into no log.
    pub(super) fn of(said: &Result<Said, String>) -> Self {
        match said {
            Ok(Said { status: 200..=299, .. }) => Self::Delivered,
            Ok(Said { status: status @ (408 | 425 | 429 | 500..=599), .. }) => {
                Self::Later(format!("HTTP {status}"))
            }
            Ok(Said { status, .. }) => Self::Refused(format!("HTTP {status}")),
            Err(why) => Self::Later(why.clone()),
        }
    }

    /// Why it was not taken.
    pub(super) fn why(&self) -> Option<&str> {
        match self {
            Self::Delivered => None,
            Self::Later(why) | Self::Refused(why) => Some(why),
        }
    }
}

impl Lines {
    /// Puts notices into the lines of those who want them; the lines of others go. Returns how
    /// many were dropped.
    pub(super) fn stand(
        &mut self,
        known: &BTreeMap<String, NotifierSpec>,
        notices: VecDeque<Notice>,
    ) -> u64 {
        // One that is on its way ends in a line that is there.
        self.0.retain(|name, line| line.sending || known.contains_key(name));
        let mut dropped = 0;
        for notice in notices.into_iter().map(Arc::new) {
            for (name, spec) in known {
                if spec.wants(notice.turn, &notice.namespace) {
                    let line = self.0.entry(name.clone()).or_insert_with(Line::new);
                    dropped += line.push(Arc::clone(&notice));
                }
            }
        }
        dropped
    }

    /// What is to be sent now; it is on its way then.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<(String, Arc<Notice>)> {
        let due = self.0.iter_mut().filter_map(|(name, line)| {
            let waits = line.sending || line.not_before.is_some_and(|at| now < at);
            let notice = line.waiting.front().filter(|_| !waits)?;
            line.sending = true;
            Some((name.clone(), Arc::clone(notice)))
        });
        due.collect()
    }

    /// When the next is to be sent.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let lines = self.0.values().filter(|line| !line.sending && !line.waiting.is_empty());
        lines.filter_map(|line| line.not_before).min()
    }

    /// An attempt ended: the word of what became of the notice, if that is over.
    pub(super) fn ended(
        &mut self,
        name: &str,
        ended: &Ended,
        now: Instant,
    ) -> Option<&'static str> {
        let line = self.0.get_mut(name)?;
        line.sending = false;
        line.failures += 1;
        let result = match ended {
            Ended::Delivered => "delivered",
            Ended::Later(_) if line.failures < ATTEMPTS_MAX => {
                line.not_before = Some(now + line.backoff.next_delay());
                return None;
            }
            Ended::Later(_) | Ended::Refused(_) => "lost",
        };
        line.waiting.pop_front();
        (line.failures, line.not_before) = (0, None);
        line.backoff.reset();
        Some(result)
    }
}

impl Line {
    fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            sending: false,
            failures: 0,
            backoff: Backoff::new(FIRST, LONGEST),
            not_before: None,
        }
    }

    /// Returns how many were dropped: never the one that is on its way.
    fn push(&mut self, notice: Arc<Notice>) -> u64 {
        self.waiting.push_back(notice);
        if self.waiting.len() <= LINE_MAX {
            return 0;
        }
        self.waiting.remove(usize::from(self.sending || self.failures > 0));
        1
    }
}

#[cfg(test)]
mod tests {
    use runtime::clock;

    use super::super::letter::tests::notice;
    use super::*;

    fn known(names: &[&str]) -> BTreeMap<String, NotifierSpec> {
        names.iter().map(|name| ((*name).to_owned(), NotifierSpec::default())).collect()
    }

    fn told(due: &[(String, Arc<Notice>)]) -> Vec<(&str, &str)> {
        due.iter().map(|(name, notice)| (name.as_str(), notice.message.as_str())).collect()
    }

    fn later() -> Ended {
        Ended::Later("refused".into())
    }

    #[test]
    fn one_that_does_not_answer_keeps_no_other_waiting() {
        let mut lines = Lines::default();
        let now = clock::instant();
        lines.stand(&known(&["a", "b"]), [notice("1"), notice("2")].into());
        assert_eq!(told(&lines.take_due(now)), [("a", "1"), ("b", "1")]);
        assert!(lines.take_due(now).is_empty());
        assert_eq!(lines.ended("a", &later(), now), None);
        assert_eq!(lines.ended("b", &Ended::Delivered, now), Some("delivered"));
        assert_eq!(told(&lines.take_due(now)), [("b", "2")]);
        let due = lines.next_due().unwrap();
        assert!(due > now && due <= now + FIRST);
        assert_eq!(told(&lines.take_due(due)), [("a", "1")]);
    }

    #[test]
    fn one_that_never_answers_loses_a_notice_after_the_other() {
        let mut lines = Lines::default();
        let mut now = clock::instant();
        lines.stand(&known(&["a"]), [notice("1"), notice("2")].into());
        for _ in 1..ATTEMPTS_MAX {
            assert_eq!(told(&lines.take_due(now)), [("a", "1")]);
            assert_eq!(lines.ended("a", &later(), now), None);
            now = lines.next_due().unwrap();
        }
        assert_eq!(told(&lines.take_due(now)), [("a", "1")]);
        assert_eq!(lines.ended("a", &later(), now), Some("lost"));
        assert_eq!(told(&lines.take_due(now)), [("a", "2")]);
        assert_eq!(lines.ended("a", &Ended::Refused("HTTP 404".into()), now), Some("lost"));
        assert!(lines.take_due(now).is_empty() && lines.next_due().is_none());
    }

    #[test]
    fn the_oldest_is_dropped_but_not_the_one_on_its_way() {
        let mut lines = Lines::default();
        let now = clock::instant();
        let some = |from: usize, to: usize| (from..to).map(|n| notice(&n.to_string())).collect();
        assert_eq!(lines.stand(&known(&["a"]), some(0, LINE_MAX)), 0);
        assert_eq!(told(&lines.take_due(now)), [("a", "0")]);
        assert_eq!(lines.stand(&known(&["a"]), some(LINE_MAX, LINE_MAX + 3)), 3);
        assert_eq!(lines.ended("a", &Ended::Delivered, now), Some("delivered"));
        assert_eq!(told(&lines.take_due(now)), [("a", "4")]);
    }

    #[test]
    fn a_notifier_that_is_gone_is_told_nothing() {
        let mut lines = Lines::default();
        let now = clock::instant();
        lines.stand(&known(&["a"]), [notice("1"), notice("2")].into());
        assert_eq!(lines.take_due(now).len(), 1);
        lines.stand(&known(&[]), VecDeque::new());
        assert_eq!(lines.ended("a", &Ended::Delivered, now), Some("delivered"));
        lines.stand(&known(&[]), VecDeque::new());
        assert!(lines.take_due(now).is_empty());
    }

    #[test]
    fn what_is_busy_is_tried_again_and_a_refusal_is_not() {
        let of = |status| Ended::of(&Ok(Said { status, body: Vec::new() }));
        assert_eq!(of(204), Ended::Delivered);
        for status in [408, 425, 429, 500, 503] {
            assert!(matches!(of(status), Ended::Later(_)), "{status}");
        }
        for status in [301, 400, 403, 404, 410] {
            assert!(matches!(of(status), Ended::Refused(_)), "{status}");
        }
        assert!(matches!(Ended::of(&Err("refused".into())), Ended::Later(_)));
    }
}
