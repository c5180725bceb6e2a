//! The form of a spec: known fields, required ones, types, lengths, words. Driven by the CRD's own
//! schema, so that the two cannot differ. What values mean is `rules`'s business.

use std::sync::OnceLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use serde_json::Value;

use super::{Problem, shown};
use crate::crd;

pub(super) fn problems(spec: &Value) -> Vec<Problem> {
    static SCHEMA: OnceLock<Option<JSONSchemaProps>> = OnceLock::new();
    let mut problems = Vec::new();
    if let Some(schema) = SCHEMA.get_or_init(schema) {
        judge("spec", schema, spec, &mut problems);
    }
    problems
}

/// The schema of `spec`.
fn schema() -> Option<JSONSchemaProps> {
    let version = crd::rollouts().spec.versions.pop()?;
    version.schema?.open_api_v3_schema?.properties?.remove("spec")
}

fn judge(field: &str, schema: &JSONSchemaProps, value: &Value, problems: &mut Vec<Problem>) {
    let mut say = |message: String| problems.push(Problem::new(field, message));
    match (expected(schema), value) {
        (Form::Map, Value::Object(_)) => judge_map(field, schema, value, problems),
        (Form::List, Value::Array(items)) => {
            let most = schema.max_items.and_then(|most| usize::try_from(most).ok());
            if let Some(most) = most.filter(|most| items.len() > *most) {
                say(format!("has {} items, and at most {most} can be: join some", items.len()));
            }
            if items.is_empty() && schema.min_items.is_some_and(|least| least > 0) {
                say("is empty: give at least one item".to_owned());
            }
            if let Some(JSONSchemaPropsOrArray::Schema(schema)) = &schema.items {
                for (at, item) in items.iter().enumerate() {
                    judge(&format!("{field}[{at}]"), schema, item, problems);
                }
            }
        }
        (Form::Text, Value::String(text)) => {
            let words = schema.enum_.iter().flatten().map(|word| shown(&word.0));
            let words: Vec<String> = words.filter(|word| word != "null").collect();
            if !words.is_empty() && !words.contains(text) {
                say(format!("{} is unknown: write {}", shown(value), words.join(" or ")));
            }
            let most = schema.max_length.and_then(|most| usize::try_from(most).ok());
            if let Some(most) = most.filter(|most| text.chars().count() > *most) {
                say(format!("{} is longer than {most} characters: shorten it", shown(value)));
            }
        }
        (Form::Number, Value::Number(number)) => {
            let most = schema.maximum.unwrap_or(f64::INFINITY);
            let least = schema.minimum.unwrap_or(f64::NEG_INFINITY);
            let inside = number.as_f64().is_some_and(|number| (least..=most).contains(&number));
            if number.is_f64() || !inside {
                say(format!("{number} is no number of these: write one from {least} to {most}"));
            }
        }
        (Form::Switch, Value::Bool(_))
        | (Form::NumberOrText, Value::Number(_) | Value::String(_))
        | (Form::Any, _) => {}
        (Form::Text, Value::Number(number)) => {
            say(format!("{number} is not a text: write it in quotes, \"{number}\""));
        }
        (form, Value::Null) => say(format!("null is no value: give {form}, or remove the field")),
        (form, _) => say(format!("{} is not {form}: write one", shown(value))),
    }
}

fn judge_map(field: &str, schema: &JSONSchemaProps, value: &Value, problems: &mut Vec<Problem>) {
    let empty = Default::default();
    let known = schema.properties.as_ref().unwrap_or(&empty);
    for (key, value) in value.as_object().into_iter().flatten() {
        let field = format!("{field}.{key}");
        match known.get(key).or(any(schema)) {
            Some(schema) => judge(&field, schema, value, problems),
            None => {
                let names: Vec<_> = known.keys().map(String::as_str).collect();
                let message = format!("is unknown; known here: {}", names.join(", "));
                problems.push(Problem::new(field, message));
            }
        }
    }
    for key in schema.required.iter().flatten() {
        if value.get(key).is_none() {
            let message = match known.get(key).map(expected) {
                Some(form) => format!("is missing: give {form}"),
                None => "is missing".to_owned(),
            };
            problems.push(Problem::new(format!("{field}.{key}"), message));
        }
    }
}

/// The schema of values under keys of the user's own.
fn any(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match schema.additional_properties.as_ref()? {
        JSONSchemaPropsOrBool::Schema(schema) => Some(schema),
        JSONSchemaPropsOrBool::Bool(_) => None,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Map,
    List,
    Text,
    Switch,
    Number,
    NumberOrText,
    Any,
}

fn expected(schema: &JSONSchemaProps) -> Form {
    match schema.type_.as_deref() {
        Some("object") => Form::Map,
        Some("array") => Form::List,
        Some("string") => Form::Text,
        Some("boolean") => Form::Switch,
        Some("integer") => Form::Number,
        None if schema.x_kubernetes_int_or_string == Some(true) => Form::NumberOrText,
        _ => Form::Any,
    }
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Map => "a map ({} is an empty one)",
            Self::List => "a list",
            Self::Text => "a text",
            Self::Switch => "true or false",
            Self::Number => "a whole number",
            Self::NumberOrText => "a number or a percentage",
            Self::Any => "a value",
        })
    }
}
