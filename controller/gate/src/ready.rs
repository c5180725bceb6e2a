//! Ready-made queries: HTTP errors and latency, from the names of metrics and labels. Owns the
//! PromQL of the gates that most people need; pure text.

use crate::query::{QueryError, Template};
use crate::{Decimal, decimal::DecimalError};

/// Where requests are counted: names as the application exports them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// A counter of requests, or the name of a histogram without `_bucket`.
    pub metric: String,
    /// The label that holds the namespace, such as `namespace`.
    pub namespace_label: String,
    /// The label that holds the pod's name, such as `pod`.
    pub pod_label: String,
}

/// Why a query cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadyError {
    /// Prometheus has no such names.
    #[error("{0:?} is no name of a metric or label: use letters, digits and _, no digit first")]
    Name(String),
    /// Not a share.
    #[error("{0} is no quantile: write one between 0 and 1, such as \"0.99\"")]
    Quantile(Decimal),
    /// A latency of nothing, or before the request.
    #[error("{0} is no bucket's bound: write seconds above 0, as the le label has them")]
    BucketBound(Decimal),
    /// What was made of it is none; a fault of this crate.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Not a decimal.
    #[error(transparent)]
    Decimal(#[from] DecimalError),
}

/// Two counts over one window, each one number: what is bad, and all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountQueries {
    /// Bad requests.
    pub errors: Template,
    /// All requests.
    pub requests: Template,
}

/// The share of requests whose code matches a regular expression such as `5..`.
///
/// Without requests it gives nothing, with requests and no errors 0: a counter of errors that was
/// never raised does not exist yet, and that alone is filled in.
///
/// # Errors
/// A name that is none.
pub fn error_ratio(source: &Source, code: &str, codes: &str) -> Result<Template, ReadyError> {
    let (errors, requests) = errors(source, code, codes, "")?;
    template(&format!("{errors} / {requests}"))
}

/// The counts of the same, for a comparison: a sample for each pod.
///
/// # Errors
/// A name that is none.
pub fn error_counts(source: &Source, code: &str, codes: &str) -> Result<CountQueries, ReadyError> {
    let (errors, requests) = errors(source, code, codes, &by_pod(source))?;
    Ok(CountQueries { errors: template(&errors)?, requests: template(&requests)? })
}

/// How many requests there were, for a least number of them.
///
/// # Errors
/// A name that is none.
pub fn requests(source: &Source) -> Result<Template, ReadyError> {
    template(&increase(&name(&source.metric, true)?, source, "", "")?)
}

/// The share of requests that took longer than a bucket's bound in seconds. There has to be a
/// bucket of just that bound; without it there is no answer, and no pass.
///
/// # Errors
/// A name that is none, or a bound that no bucket can have.
pub fn slow_ratio(source: &Source, le: Decimal) -> Result<Template, ReadyError> {
    let (slow, requests) = slow(source, le, "")?;
    template(&format!("{slow} / {requests}"))
}

/// The counts of the same, for a comparison: a sample for each pod.
///
/// # Errors
/// A name that is none, or a bound that no bucket can have.
pub fn slow_counts(source: &Source, le: Decimal) -> Result<CountQueries, ReadyError> {
    let (slow, requests) = slow(source, le, &by_pod(source))?;
    Ok(CountQueries { errors: template(&slow)?, requests: template(&requests)? })
}

/// The latency in seconds that the share `quantile` of requests does not exceed, as far as the
/// buckets tell.
///
/// Of requests above the highest bound Prometheus says that they took just that long, however long
/// they took. So where the quantile lies among them the query gives an infinity, unless that bound
/// is above `max` already: then it fails as it should.
///
/// # Errors
/// A name that is none, or a quantile that is no share.
pub fn latency_quantile(
    source: &Source,
    quantile: Decimal,
    max: Option<Decimal>,
) -> Result<Template, ReadyError> {
    if !(0.0..=1.0).contains(&quantile.nearest()) {
        return Err(ReadyError::Quantile(quantile));
    }
    let bucket = bucket(source)?;
    let of = |le: &str, by: &str| increase(&bucket, source, le, by);
    let value = format!("histogram_quantile({quantile}, {})", of("", "by (le) ")?);
    let bounded = of(",le!=\"+Inf\"", "by (le) ")?;
    let all = of(",le=\"+Inf\"", "")?;
    let known = format!("{value} / (max({bounded}) >= bool {quantile} * {all})");
    template(&match max {
        Some(max) => format!("{value} > {max} or {known}"),
        None => known,
    })
}

fn errors(
    source: &Source,
    code: &str,
    codes: &str,
    by: &str,
) -> Result<(String, String), ReadyError> {
    let (metric, code) = (name(&source.metric, true)?, name(code, false)?);
    let requests = increase(&metric, source, "", by)?;
    let matched = format!(",{code}=~\"{}\"", literal(codes));
    let errors = increase(&metric, source, &matched, by)?;
    // Where there were requests; so no pods are made up.
    Ok((format!("({errors} or {requests} * 0)"), requests))
}

fn slow(source: &Source, le: Decimal, by: &str) -> Result<(String, String), ReadyError> {
    if le.is_negative() || le == Decimal::ZERO {
        return Err(ReadyError::BucketBound(le));
    }
    let bucket = bucket(source)?;
    let all = increase(&bucket, source, ",le=\"+Inf\"", by)?;
    let fast = increase(&bucket, source, &format!(",{}", le_matcher(le)), by)?;
    Ok((format!("({all} - {fast})"), all))
}

/// Newer servers and clients write the bound 1 as `1.0`.
fn le_matcher(le: Decimal) -> String {
    if le.is_whole() { format!("le=~\"{le}(\\\\.0)?\"") } else { format!("le=\"{le}\"") }
}

fn bucket(source: &Source) -> Result<String, ReadyError> {
    Ok(format!("{}_bucket", name(&source.metric, true)?))
}

fn by_pod(source: &Source) -> String {
    format!("by ({}) ", source.pod_label)
}

fn increase(metric: &str, source: &Source, more: &str, by: &str) -> Result<String, ReadyError> {
    let namespace = name(&source.namespace_label, false)?;
    let pod = name(&source.pod_label, false)?;
    let labels = format!("{namespace}=\"{{{{namespace}}}}\",{pod}=~\"{{{{pods}}}}\"{more}");
    Ok(format!("sum {by}(increase({metric}{{{labels}}}[{{{{window}}}}]))"))
}

/// A name that Prometheus takes without quotes; metrics may have colons.
fn name(text: &str, metric: bool) -> Result<String, ReadyError> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || (metric && byte == b':');
    let digit = text.starts_with(|first: char| first.is_ascii_digit());
    if text.is_empty() || digit || !text.bytes().all(known) {
        return Err(ReadyError::Name(text.chars().take(80).collect()));
    }
    Ok(text.into())
}

/// The inside of a double-quoted literal in a template: braces are escaped too, so that nothing
/// in it is a placeholder.
fn literal(text: &str) -> String {
    crate::query::escape_double(text).replace('{', "\\x7b")
}

fn template(text: &str) -> Result<Template, ReadyError> {
    Ok(Template::parse(text)?)
}

#[cfg(test)]
mod tests;
