//! The annotations by which controllers of Ingresses share requests: one row for each family of
//! classes. A table and its lookup; what is written with it is `canary`'s.

use serde_json::Value;

use super::super::hold::Compare;

/// The class by annotation, as Ingresses had it before `spec.ingressClassName`.
pub(super) const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

/// Keys under the prefix of a dialect; all of them have the same.
pub(super) const CANARY: &str = "canary";
pub(super) const WEIGHT: &str = "canary-weight";
pub(super) const HEADER: &str = "canary-by-header";
const HEADER_VALUE: &str = "canary-by-header-value";
const HEADER_PATTERN: &str = "canary-by-header-pattern";
pub(super) const COOKIE: &str = "canary-by-cookie";

/// How a family of classes is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// The class of this name, and those that begin or end with it: `nginx-internal`.
    class: &'static str,
    /// What its annotations begin with.
    pub(super) prefix: &'static str,
}

/// Each row has been tried: one that takes a canary Ingress for another plain one would give the
/// update revision all requests.
const TABLE: [Dialect; 1] = [Dialect { class: "nginx", prefix: "nginx.ingress.kubernetes.io/" }];

impl Dialect {
    /// None for a class that nobody knows here.
    pub(super) fn of(ingress: &Value) -> Option<Self> {
        let class = class(ingress)?;
        TABLE.into_iter().find(|row| row.serves(class))
    }

    fn serves(self, class: &str) -> bool {
        let begins = class.strip_prefix(self.class).is_some_and(|rest| rest.starts_with('-'));
        let ends = class.strip_suffix(self.class).is_some_and(|rest| rest.ends_with('-'));
        class == self.class || begins || ends
    }

    /// The annotation of this key.
    pub(super) fn key(self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The annotation says whether and how an Ingress is a canary.
    pub(super) fn is_about_canaries(self, annotation: &str) -> bool {
        annotation.strip_prefix(self.prefix).is_some_and(|key| key.starts_with(CANARY))
    }
}

/// The class of an Ingress.
pub(super) fn class(ingress: &Value) -> Option<&str> {
    let by_annotation = || ingress["metadata"]["annotations"][CLASS_ANNOTATION].as_str();
    ingress["spec"]["ingressClassName"].as_str().or_else(by_annotation)
}

/// The key that the value of the header is under.
pub(super) fn header_key(compare: Compare) -> &'static str {
    match compare {
        Compare::Exact => HEADER_VALUE,
        Compare::RegularExpression => HEADER_PATTERN,
    }
}
