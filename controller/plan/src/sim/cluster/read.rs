//! Reading a workload's JSON as the apiserver does: defaults, validation, the parsed spec. Owns
//! the rules of apps/v1, and of a CloneSet's own webhooks, that a hold has to live with; writes
//! nothing.

use std::collections::BTreeMap;
use std::rc::Rc;

use crds::hold::Reading;
use crds::project::{CloneSetFields, DaemonSetFields, StatefulFields};
use crds::{Hold, HoldState, IntOrPercent, Kept, Revision, UpdateType};
use serde_json::{Value, json};

use super::Refused;
use super::objects::{DeploymentSpec, StatefulSpec};
use crate::observed::Strategy;

/// What stands in a workload's JSON.
pub struct Read {
    pub spec: DeploymentSpec,
    pub stateful: Option<StatefulSpec>,
    pub cloneset: Option<CloneSetFields>,
    pub daemon: Option<DaemonSetFields>,
    pub annotations: BTreeMap<String, String>,
    pub template: Rc<Value>,
    pub revision: Revision,
}

/// Fills in what apps/v1, or a CloneSet's own webhook, defaults.
pub fn set_defaults(raw: &mut Value) {
    let (stateful, cloned) = (is_stateful(raw), is_cloneset(raw));
    let daemon = is_daemonset(raw);
    let spec = &mut raw["spec"];
    default(spec, "revisionHistoryLimit", json!(10));
    if daemon {
        return set_daemonset_defaults(spec);
    }
    default(spec, "replicas", json!(1));
    if stateful {
        return set_stateful_defaults(spec);
    }
    if cloned {
        return set_cloneset_defaults(spec);
    }
    default(spec, "progressDeadlineSeconds", json!(600));
    default(spec, "strategy", json!({}));
    default(&mut spec["strategy"], "type", json!("RollingUpdate"));
    if spec["strategy"]["type"] == "RollingUpdate" {
        let strategy = &mut spec["strategy"];
        default(strategy, "rollingUpdate", json!({}));
        default(&mut strategy["rollingUpdate"], "maxSurge", json!("25%"));
        default(&mut strategy["rollingUpdate"], "maxUnavailable", json!("25%"));
    }
}

fn is_stateful(raw: &Value) -> bool {
    raw["kind"] == "StatefulSet"
}

fn set_stateful_defaults(spec: &mut Value) {
    default(spec, "podManagementPolicy", json!("OrderedReady"));
    default(spec, "updateStrategy", json!({}));
    let strategy = &mut spec["updateStrategy"];
    default(strategy, "type", json!("RollingUpdate"));
    if strategy["type"] == "RollingUpdate" {
        default(strategy, "rollingUpdate", json!({}));
        default(&mut strategy["rollingUpdate"], "partition", json!(0));
    }
}

fn is_cloneset(raw: &Value) -> bool {
    raw["kind"] == "CloneSet"
}

fn set_cloneset_defaults(spec: &mut Value) {
    default(spec, "updateStrategy", json!({}));
    let strategy = &mut spec["updateStrategy"];
    default(strategy, "type", json!("ReCreate"));
    default(strategy, "partition", json!(0));
    default(strategy, "maxUnavailable", json!("20%"));
    default(strategy, "maxSurge", json!(0));
}

/// Nobody scales a DaemonSet.
pub fn is_daemonset(raw: &Value) -> bool {
    raw["kind"] == "DaemonSet"
}

fn set_daemonset_defaults(spec: &mut Value) {
    default(spec, "updateStrategy", json!({}));
    let strategy = &mut spec["updateStrategy"];
    default(strategy, "type", json!("RollingUpdate"));
    if strategy["type"] == "RollingUpdate" {
        default(strategy, "rollingUpdate", json!({}));
        default(&mut strategy["rollingUpdate"], "maxUnavailable", json!(1));
        default(&mut strategy["rollingUpdate"], "maxSurge", json!(0));
    }
}

fn default(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = object
        && map.get(key).is_none_or(Value::is_null)
    {
        map.insert(key.to_owned(), value);
    }
}

/// Reads a defaulted workload, or says like the apiserver why it is none.
pub fn read(raw: &Value) -> Result<Read, Refused> {
    let spec = &raw["spec"];
    let stateful = if is_stateful(raw) { Some(stateful(spec)?) } else { None };
    let cloneset = if is_cloneset(raw) { Some(cloneset(spec)?) } else { None };
    let daemon = if is_daemonset(raw) { Some(daemonset(spec)?) } else { None };
    let (deadline, strategy) = match (&stateful, &cloneset) {
        _ if daemon.is_some() => (NO_DEADLINE, strategy_of_daemonset(raw)?),
        (Some(stateful), _) => (NO_DEADLINE, one_at_a_time(stateful)),
        (None, Some(_)) => (deadline_of_cloneset(spec)?, strategy_of_cloneset(spec)?),
        (None, None) => (integer(spec, "progressDeadlineSeconds")?, strategy(&spec["strategy"])?),
    };
    let paused =
        if cloneset.is_some() { &spec["updateStrategy"]["paused"] } else { &spec["paused"] };
    let parsed = DeploymentSpec {
        replicas: integer(spec, "replicas")?,
        paused: *paused == true,
        min_ready_seconds: integer(spec, "minReadySeconds")?,
        progress_deadline_seconds: deadline,
        history_limit: integer(spec, "revisionHistoryLimit")?,
        strategy,
    };
    if parsed.progress_deadline_seconds <= parsed.min_ready_seconds {
        return invalid("progressDeadlineSeconds: must be greater than minReadySeconds");
    }
    let template = Rc::new(spec["template"].clone());
    Ok(Read {
        spec: parsed,
        stateful,
        cloneset,
        daemon,
        annotations: text_map(&raw["metadata"]["annotations"]),
        revision: Revision::of_template(&template),
        template,
    })
}

/// A StatefulSet has none, nor a DaemonSet, nor a CloneSet that states none.
pub const NO_DEADLINE: i32 = i32::MAX;

fn stateful(spec: &Value) -> Result<StatefulSpec, Refused> {
    let strategy = &spec["updateStrategy"];
    if strategy["type"] == "OnDelete" && !strategy["rollingUpdate"].is_null() {
        return invalid("rollingUpdate: only allowed for updateStrategy 'RollingUpdate'");
    }
    let ordered = match spec["podManagementPolicy"].as_str() {
        Some("OrderedReady") => true,
        Some("Parallel") => false,
        _ => return invalid("podManagementPolicy"),
    };
    let fields = StatefulFields::of(spec)
        .filter(|fields| fields.partition().is_none_or(|partition| partition >= 0));
    match fields {
        Some(fields) => Ok(StatefulSpec { fields, ordered }),
        None => invalid("updateStrategy"),
    }
}

/// OnDelete is refused by a CloneSet's own webhook.
fn cloneset(spec: &Value) -> Result<CloneSetFields, Refused> {
    match CloneSetFields::of(spec) {
        Some(CloneSetFields::Rolling { partition: Kept::Pods(..0) } | CloneSetFields::OnDelete)
        | None => invalid("updateStrategy"),
        Some(fields) => Ok(fields),
    }
}

fn daemonset(spec: &Value) -> Result<DaemonSetFields, Refused> {
    DaemonSetFields::of(spec).map_or_else(|| invalid("updateStrategy"), Ok)
}

/// The user's own: under a hold OnDelete is not.
fn strategy_of_daemonset(raw: &Value) -> Result<Strategy, Refused> {
    let strategy = &raw["spec"]["updateStrategy"];
    let held = match Hold::of(raw) {
        Reading::Hold(hold) => matches!(hold.state, HoldState::Withheld(_)),
        _ => false,
    };
    let on_delete = strategy["type"] == serde_json::json!(UpdateType::OnDelete);
    if on_delete && !held {
        return Ok(Strategy::Recreate);
    }
    let rolling = &strategy["rollingUpdate"];
    let number = |key: &str, default: i32| match &rolling[key] {
        Value::Null => Ok(IntOrPercent::Count(default)),
        value => quantity(value),
    };
    let (max_surge, max_unavailable) = (number("maxSurge", 0)?, number("maxUnavailable", 1)?);
    match (is_zero(max_surge), is_zero(max_unavailable)) {
        (true, true) => invalid("maxUnavailable: cannot be 0 when maxSurge is 0"),
        (false, false) => invalid("maxSurge: may not be set when maxUnavailable is non-zero"),
        _ => Ok(Strategy::RollingUpdate { max_surge, max_unavailable }),
    }
}

fn deadline_of_cloneset(spec: &Value) -> Result<i32, Refused> {
    match &spec["progressDeadlineSeconds"] {
        Value::Null => Ok(NO_DEADLINE),
        _ => integer(spec, "progressDeadlineSeconds"),
    }
}

fn strategy_of_cloneset(spec: &Value) -> Result<Strategy, Refused> {
    let strategy = &spec["updateStrategy"];
    let max_surge = quantity(&strategy["maxSurge"])?;
    let max_unavailable = quantity(&strategy["maxUnavailable"])?;
    if is_zero(max_surge) && is_zero(max_unavailable) && spec["replicas"] != 0 {
        return invalid("maxUnavailable and maxSurge: may not both be 0");
    }
    Ok(Strategy::RollingUpdate { max_surge, max_unavailable })
}

/// The stock controller's pace in the words of a Deployment.
fn one_at_a_time(stateful: &StatefulSpec) -> Strategy {
    match stateful.fields {
        StatefulFields::OnDelete => Strategy::Recreate,
        StatefulFields::RollingUpdate { .. } => Strategy::RollingUpdate {
            max_surge: IntOrPercent::Count(0),
            max_unavailable: IntOrPercent::Count(1),
        },
    }
}

/// An update may not change these.
pub fn check_immutable(old: &Value, new: &Value) -> Result<(), Refused> {
    let same = |path: &str| old.pointer(path) == new.pointer(path);
    if same("/kind") && same("/spec/selector") && same("/spec/podManagementPolicy") {
        Ok(())
    } else {
        invalid("spec: Forbidden: updates to this field are forbidden")
    }
}

fn integer(spec: &Value, key: &str) -> Result<i32, Refused> {
    match &spec[key] {
        Value::Null => Ok(0),
        value => value
            .as_i64()
            .and_then(|number| i32::try_from(number).ok())
            .filter(|number| *number >= 0)
            .ok_or_else(|| Refused::Invalid(format!("{key}: {value}"))),
    }
}

fn strategy(strategy: &Value) -> Result<Strategy, Refused> {
    let rolling = &strategy["rollingUpdate"];
    match strategy["type"].as_str() {
        Some("Recreate") if rolling.is_null() => Ok(Strategy::Recreate),
        Some("Recreate") => {
            invalid("rollingUpdate: may not be specified when strategy `type` is 'Recreate'")
        }
        Some("RollingUpdate") => {
            let max_surge = quantity(&rolling["maxSurge"])?;
            let max_unavailable = quantity(&rolling["maxUnavailable"])?;
            match (max_surge, max_unavailable) {
                (s, u) if is_zero(s) && is_zero(u) => {
                    invalid("maxUnavailable: may not be 0 when `maxSurge` is 0")
                }
                (_, IntOrPercent::Percent(percent)) if percent > 100 => {
                    invalid("maxUnavailable: must not be greater than 100%")
                }
                _ => Ok(Strategy::RollingUpdate { max_surge, max_unavailable }),
            }
        }
        _ => invalid("strategy.type"),
    }
}

fn quantity(value: &Value) -> Result<IntOrPercent, Refused> {
    let quantity: IntOrPercent = serde_json::from_value(value.clone())
        .map_err(|error| Refused::Invalid(format!("rollingUpdate: {error}")))?;
    match quantity {
        IntOrPercent::Count(count) if count < 0 => invalid("rollingUpdate: negative"),
        quantity => Ok(quantity),
    }
}

fn is_zero(quantity: IntOrPercent) -> bool {
    matches!(quantity, IntOrPercent::Count(0) | IntOrPercent::Percent(0))
}

fn invalid<T>(message: &str) -> Result<T, Refused> {
    Err(Refused::Invalid(message.to_owned()))
}

/// A JSON object of texts.
pub fn text_map(value: &Value) -> BTreeMap<String, String> {
    let texts = value.as_object().into_iter().flatten();
    texts.filter_map(|(key, text)| Some((key.clone(), text.as_str()?.to_owned()))).collect()
}
