//! What gates may be: names, queries, bounds. A value of a wrong type is skipped: that is `shape`'s
//! to say.

use std::collections::BTreeSet;
use std::fmt::Display;

use gate::Decimal;
use gate::query::Template;
use gate::verdict::Bound;
use serde_json::Value;

use super::Problem;
use super::rules::{cut, span};
use crate::GepDuration;
use crate::cel::MIN_INTERVAL;
use crate::gates::{Compare, ErrorRatio, Latency};

pub(super) fn problems(spec: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    let batches = spec["strategy"]["batches"].as_array().map_or(usize::MAX, Vec::len);
    for (at, gate) in spec["gates"].as_array().into_iter().flatten().enumerate() {
        let mut say = Say { field: format!("spec.gates[{at}]"), problems: &mut problems };
        say.name(&gate["name"], &mut names);
        say.batches(&gate["batches"], batches);
        say.spans(gate);
        say.way(gate);
        say.hook(gate);
        say.prometheus(&gate["prometheus"]);
        say.acceptable(gate, batches);
    }
    problems
}

/// Collects what is wrong with one gate.
struct Say<'a> {
    field: String,
    problems: &'a mut Vec<Problem>,
}

impl Say<'_> {
    fn say(&mut self, key: &str, message: impl Display) {
        self.problems.push(Problem::new(format!("{}.{key}", self.field), message.to_string()));
    }

    /// Says what stands in the way of a value.
    fn must<T, E: Display>(&mut self, key: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.say(key, error)).ok()
    }

    fn name<'n>(&mut self, name: &'n Value, names: &mut BTreeSet<&'n str>) {
        let Some(name) = name.as_str() else { return };
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || !name.bytes().all(known) {
            let message = format!("\"{}\" is no name: write small letters, digits, -", cut(name));
            self.say("name", message);
        } else if !names.insert(name) {
            self.say("name", format!("{} names two gates: rename one", cut(name)));
        }
    }

    fn batches(&mut self, batches: &Value, count: usize) {
        for batch in batches.as_array().into_iter().flatten() {
            if batch.as_u64().is_some_and(|batch| batch > count as u64) {
                let message = format!("{batch} is no batch, there are {count}: correct it");
                self.say("batches", message);
            }
        }
    }

    fn spans(&mut self, gate: &Value) {
        let cures = [
            ("interval", "to measure every 30s"),
            ("initialDelay", "to begin at once"),
            ("prometheus.window", "to look back 5m"),
        ];
        for (key, otherwise) in cures {
            let path = format!("/{}", key.replace('.', "/"));
            let value = gate.pointer(&path).unwrap_or(&Value::Null);
            span(&format!("{}.{key}", self.field), value, otherwise, self.problems);
        }
        let interval = gate["interval"].as_str().unwrap_or_default();
        let interval = interval.parse::<GepDuration>().map(GepDuration::get);
        if interval.is_ok_and(|interval| !interval.is_zero() && interval < MIN_INTERVAL) {
            let least = MIN_INTERVAL.as_secs();
            let given = cut(gate["interval"].as_str().unwrap_or_default());
            self.say("interval", format!("{given} is less than {least}s: give {least}s or more"));
        }
    }

    fn way(&mut self, gate: &Value) {
        let ways = ["prometheus", "template", "hook"];
        let given: Vec<_> = ways.into_iter().filter(|way| !gate[way].is_null()).collect();
        match given.as_slice() {
            [] => self.say("prometheus", "is missing: give it, or a template, or a hook"),
            [_] => {}
            [first, others @ ..] => {
                for other in others {
                    self.say(other, format!("does not go with {first}: keep one"));
                }
            }
        }
    }

    /// What makes no sense beside a hook.
    fn hook(&mut self, gate: &Value) {
        let hook = &gate["hook"];
        if !hook.is_object() {
            return;
        }
        if let Some(provider) = hook["provider"].as_str() {
            let known = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte)
            };
            if provider.is_empty() || !provider.bytes().all(known) {
                let message =
                    format!("\"{}\" is no name of a HookProvider: correct it", cut(provider));
                self.say("hook.provider", message);
            }
        }
        if !gate["unknownLimit"].is_null() {
            let cure = "does not go with a hook, which is never Unknown: remove it, errorLimit \
                        bounds its errors";
            self.say("unknownLimit", cure);
        }
        if hook["confirm"] != true {
            return;
        }
        for key in ["failedLimit", "onFailure"] {
            if !gate[key].is_null() {
                self.say(key, "does not go with hook.confirm, which never fails: remove it");
            }
        }
        if gate["background"] == true {
            let cure = "does not go with hook.confirm, which ends once it is confirmed: remove it";
            self.say("background", cure);
        }
    }

    fn prometheus(&mut self, prometheus: &Value) {
        if !prometheus.is_object() {
            return;
        }
        let given = ["query", "errorRatio", "latency"];
        let given: Vec<_> = given.into_iter().filter(|key| !prometheus[key].is_null()).collect();
        match given.as_slice() {
            [] => self.say("prometheus", "asks nothing: give query, errorRatio or latency"),
            [_] => {}
            several => {
                let message = format!("gives {}: keep one of them", several.join(" and "));
                self.say("prometheus", message);
            }
        }
        self.queries(prometheus);
        let counted = !prometheus["requests"].is_null() || prometheus["query"].is_null();
        if !prometheus["minRequests"].is_null() && !counted {
            let cure = "is missing: give the query that counts the requests, or drop minRequests";
            self.say("prometheus.requests", cure);
        }
    }

    fn queries(&mut self, prometheus: &Value) {
        for key in ["query", "requests"] {
            if let Some(text) = prometheus[key].as_str() {
                self.must(&format!("prometheus.{key}"), Template::parse(text));
            }
        }
        if let Ok(ratio) = serde_json::from_value::<ErrorRatio>(prometheus["errorRatio"].clone()) {
            self.must("prometheus.errorRatio", ratio.template());
        }
        let latency = &prometheus["latency"];
        for key in ["quantile", "slowerThan"] {
            self.decimal(&format!("prometheus.latency.{key}"), &latency[key]);
        }
        if let Ok(latency) = serde_json::from_value::<Latency>(latency.clone()) {
            self.must("prometheus.latency", latency.template(None));
        }
    }

    /// What is acceptable: a bound, or no worse than stable.
    fn acceptable(&mut self, gate: &Value, batches: usize) {
        let prometheus = &gate["prometheus"];
        match &prometheus["compare"] {
            _ if !prometheus.is_object() => return,
            Value::Null => return self.bound(prometheus),
            _ => {}
        }
        for key in ["max", "min", "query"] {
            if !prometheus[key].is_null() {
                let message = "does not go with compare: remove one of them";
                self.say(&format!("prometheus.{key}"), message);
            }
        }
        if prometheus["latency"].is_object() && prometheus["latency"]["slowerThan"].is_null() {
            let message = "is missing: give the bound of a bucket, whose requests are compared";
            self.say("prometheus.latency.slowerThan", message);
        }
        for key in ["alpha", "ratio", "margin", "dispersion"] {
            self.decimal(&format!("prometheus.compare.{key}"), &prometheus["compare"][key]);
        }
        if let Ok(compare) = serde_json::from_value::<Compare>(prometheus["compare"].clone()) {
            self.must("prometheus.compare", compare.terms(None));
        }
        let named = gate["batches"].as_array().map(Vec::as_slice).unwrap_or_default();
        if batches == 1 || named.iter().any(|batch| batch.as_u64() == Some(batches as u64)) {
            let message = "leaves no stable pods in the last batch to compare with: name batches \
                           before it";
            self.say("prometheus.compare", message);
        }
    }

    fn bound(&mut self, prometheus: &Value) {
        let [max, min] = ["max", "min"].map(|key| match &prometheus[key] {
            Value::Null => Some(None),
            value => self.decimal(&format!("prometheus.{key}"), value).map(Some),
        });
        if let (Some(max), Some(min)) = (max, min) {
            self.must("prometheus", Bound::new(max, min));
        }
    }

    /// Another type is `shape`'s to say.
    fn decimal(&mut self, key: &str, value: &Value) -> Option<Decimal> {
        let text = value.as_str()?;
        self.must(key, text.parse())
    }
}
