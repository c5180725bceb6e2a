//! Templates with their arguments, and what is said of those that make no gate.

use serde_json::json;

use super::*;

fn template() -> Template {
    let spec: GateTemplateSpec = serde_json::from_value(json!({
        "args": [{ "name": "route" }, { "name": "max", "default": "0.01" }],
        "prometheus": {
            "query": "sum(rate(errors{pod=~\"{{pods}}\",route=\"{{args.route}}\"}[{{window}}]))",
            "max": "{{args.max}}",
        },
    }))
    .unwrap();
    spec.into()
}

fn resolved(template: &Template, args: &[(&str, &str)]) -> Result<PrometheusGate, String> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    template.resolve(&args.iter().map(own).collect()).map_err(|error| error.to_string())
}

#[test]
fn arguments_are_filled_in_with_defaults() {
    let gate = resolved(&template(), &[("route", "/a\"}{{pods}}")]).unwrap();
    let query =
        "sum(rate(errors{pod=~\"{{pods}}\",route=\"/a\\\"}\\x7b\\x7bpods}}\"}[{{window}}]))";
    assert_eq!(gate.query.as_deref(), Some(query));
    assert_eq!(gate.max, Some("0.01".parse().unwrap()));
    let other = resolved(&template(), &[("route", "/"), ("max", "5")]).unwrap();
    assert_eq!(other.max, Some("5".parse().unwrap()));
}

#[test]
fn what_makes_no_gate_is_named_with_its_cure() {
    let said = |args| resolved(&template(), args).unwrap_err();
    let missing = "template.args.route is missing, and the template has no default: give it";
    assert_eq!(said(&[]), missing);
    let unknown = "template.args.rout is no argument of the template: it has route, max";
    assert_eq!(said(&[("rout", "/")]), unknown);
    let malformed = said(&[("route", "/"), ("max", "much")]);
    assert!(malformed.contains("\"much\" is no decimal number"), "{malformed}");
}

#[test]
fn an_argument_is_all_of_a_text_that_is_no_query() {
    let mut part = template();
    part.prometheus.max = Some("1{{args.max}}".into());
    let said = resolved(&part, &[("route", "/")]).unwrap_err();
    assert!(said.starts_with("the template's prometheus.max is \"1{{args.max}}\""), "{said}");
    part.prometheus.max = Some("{{args.most}}".into());
    let said = resolved(&part, &[("route", "/")]).unwrap_err();
    assert!(said.contains("{{args.most}} is no argument of the template"), "{said}");
    part.prometheus.max = Some("1".into());
    part.prometheus.query = Some("sum({{args.route}})".into());
    let said = resolved(&part, &[("route", "up")]).unwrap_err();
    assert!(said.contains("stands outside of a string literal"), "{said}");
}

#[test]
fn ready_made_ones_take_arguments_too() {
    let spec: ClusterGateTemplateSpec = serde_json::from_value(json!({
        "args": [{ "name": "codes", "default": "5.." }, { "name": "slow" }],
        "prometheus": { "latency": { "slowerThan": "{{args.slow}}" }, "max": "0.1",
                        "window": "2m" },
    }))
    .unwrap();
    let gate = resolved(&spec.into(), &[("slow", "0.25")]).unwrap();
    assert_eq!(gate.latency.unwrap().slower_than, Some("0.25".parse().unwrap()));
}
