//! What the demo shows: steps, commands, and the pods as they change. Owns wording and colours
//! only; colours only on a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use tokio::time::Instant;

use crate::kubectl::Said;
use crate::observer::Sight;
use crate::view::{is_live, is_ready, version};

/// Where the story is told.
pub struct Terminal {
    begun: Instant,
    step_begun: Instant,
    colours: bool,
    steps: Vec<(String, Duration)>,
    last: String,
}

#[derive(Clone, Copy)]
enum Ink {
    Bold,
    Dim,
    Green,
    Red,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Green => "32",
            Self::Red => "31",
        }
    }
}

impl Default for Terminal {
    fn default() -> Self {
        let (begun, colours) = (Instant::now(), io::stdout().is_terminal());
        Self { begun, step_begun: begun, colours, steps: Vec::new(), last: String::new() }
    }
}

impl Terminal {
    fn paint(&self, ink: Ink, text: &str) -> String {
        if self.colours { format!("\x1b[{}m{text}\x1b[0m", ink.code()) } else { text.to_owned() }
    }

    /// A closed pipe is the reader's wish: the demo still says by its exit code how it went.
    fn line(text: &str) {
        let _ = writeln!(io::stdout(), "{text}");
    }

    /// Begins a step.
    pub fn step(&mut self, title: &str) {
        self.step_begun = Instant::now();
        self.last.clear();
        let number = self.steps.len() + 1;
        Self::line(&format!("\n{}", self.paint(Ink::Bold, &format!("{number}. {title}"))));
    }

    /// The step has happened.
    pub fn done(&mut self, fact: &str) {
        let took = self.step_begun.elapsed();
        let tick = self.paint(Ink::Green, "ok");
        Self::line(&format!("   {tick} {fact} ({:.1} s)", took.as_secs_f64()));
        self.steps.push((fact.to_owned(), took));
    }

    /// A command as the user types it, and what it says.
    pub fn command(&self, typed: &str, said: &Said) {
        Self::line(&format!("   {}", self.paint(Ink::Bold, &format!("$ {typed}"))));
        for line in said.out.lines().chain(said.err.lines()) {
            Self::line(&format!("   {line}"));
        }
    }

    /// A file as the user writes it.
    pub fn file(&self, text: &str) {
        for line in text.lines() {
            Self::line(&format!("   {}", self.paint(Ink::Dim, &format!("| {line}"))));
        }
    }

    /// The pods and what the Rollout waits for, if that is news.
    pub fn watch(&mut self, sight: &Sight<'_>) {
        let picture = self.picture(sight);
        if picture != self.last {
            let at = self.begun.elapsed().as_secs_f64();
            Self::line(&format!("   {at:6.1} s  {picture}"));
            self.last = picture;
        }
    }

    fn picture(&self, sight: &Sight<'_>) -> String {
        let mut pods = String::new();
        for wanted in ["v1", "v2", "v3", "v4"] {
            let of = |pod: &&_| is_live(pod) && version(pod_spec(pod)) == Some(wanted);
            let all = sight.view.pods.values().filter(of);
            let (ready, rest): (Vec<_>, Vec<_>) = all.partition(|pod| is_ready(pod));
            if !ready.is_empty() || !rest.is_empty() {
                let dots = "o".repeat(ready.len()) + &".".repeat(rest.len());
                let ink = if ["v3", "v4"].contains(&wanted) { Ink::Red } else { Ink::Green };
                pods += &format!("{wanted} {}  ", self.paint(ink, &format!("{dots:<10}")));
            }
        }
        let status = sight.view.rollouts.get("web").and_then(|rollout| rollout.status.as_ref());
        let Some(status) = status else { return pods };
        let waits = status.waiting_for.as_ref().map_or("", |waiting| waiting.message.as_str());
        let step = status.step.as_deref().unwrap_or("");
        format!("{pods}{:?} {step} {}", status.phase, self.paint(Ink::Dim, waits))
    }

    /// How it all went.
    pub fn summary(&self) {
        Self::line(&format!("\n{}", self.paint(Ink::Bold, "What happened")));
        for (number, (fact, took)) in self.steps.iter().enumerate() {
            let tick = self.paint(Ink::Green, "ok");
            let seconds = took.as_secs_f64();
            Self::line(&format!("   {tick} {:>2}. {fact:<72} {seconds:>5.1} s", number + 1));
        }
        let total = self.begun.elapsed().as_secs_f64();
        Self::line(&format!("   every step verified by the API, {total:.0} s in all"));
    }

    /// A step did not happen.
    pub fn failed(&self, why: &str) {
        let word = self.paint(Ink::Red, "did not happen");
        Self::line(&format!("   {word} ({:.1} s)", self.step_begun.elapsed().as_secs_f64()));
        let _ = writeln!(io::stderr(), "{why}");
    }
}

fn pod_spec(pod: &k8s_openapi::api::core::v1::Pod) -> Option<&k8s_openapi::api::core::v1::PodSpec> {
    pod.spec.as_ref()
}
