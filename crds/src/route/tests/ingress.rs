//! The projection of an Ingress, and the canary Ingress beside it.

use proptest::prelude::*;

use super::super::ingress::{Canary, canary, corrected};
use super::*;

fn path(path: &str, service: &str) -> Value {
    let backend = json!({ "service": { "name": service, "port": { "name": "http" } } });
    json!({ "path": path, "pathType": "Prefix", "backend": backend })
}

/// An armed Ingress of two hosts, whose Service `web` is one of several.
fn shop() -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": "shop",
            "namespace": "shop",
            "labels": {
                "sluice.dev/armed": "true",
                "sluice.dev/rollout": "web",
                "app.kubernetes.io/instance": "shop",
            },
            "annotations": {
                "argocd.argoproj.io/tracking-id": "shop:networking.k8s.io/Ingress:shop/shop",
                "cert-manager.io/cluster-issuer": "public",
                "nginx.ingress.kubernetes.io/rewrite-target": "/$2",
                "nginx.ingress.kubernetes.io/canary-weight": "7",
            },
        },
        "spec": {
            "ingressClassName": "nginx",
            "tls": [{ "hosts": ["shop.example"], "secretName": "shop-tls" }],
            "rules": [
                { "host": "shop.example", "http": { "paths": [
                    path("/api", "api"), path("/", "web"),
                ] } },
                { "host": "other.example", "http": { "paths": [path("/", "other")] } },
                { "host": "empty.example" },
            ],
        },
        "status": { "loadBalancer": {} },
    })
}

fn share(weight: u32) -> Share {
    Share {
        stable: Some("web-aaaaaaaaaa".to_owned()),
        canary: "web-bbbbbbbbbb".to_owned(),
        ..super::share(weight)
    }
}

fn backends(object: &Value) -> Vec<&str> {
    let rules = rules(object).as_array().unwrap().iter();
    let paths = rules.filter_map(|rule| rule["http"]["paths"].as_array()).flatten();
    paths.map(|path| path["backend"]["service"]["name"].as_str().unwrap()).collect()
}

/// As the apiserver has it: the hold alone gone.
fn restored(live: &Value) -> Value {
    let mut sent = live.clone();
    sent["metadata"]["annotations"].as_object_mut().unwrap().remove(HOLD_ANNOTATION);
    written(live, &sent, Writer::Controller).0
}

#[test]
fn the_stable_revision_answers_alone_and_all_comes_back() {
    let live = held(&shop(), &[share(20)]);
    assert_eq!(backends(&live), ["api", "web-aaaaaaaaaa", "other"]);
    assert_eq!(projected(&live), Ok(true));
    assert_eq!(restored(&live), shop());
}

/// A path whose Service has no pods gets an error, whatever a canary says.
#[test]
fn all_requests_stand_in_the_path_itself() {
    let live = held(&held(&shop(), &[share(20)]), &[share(100)]);
    assert_eq!(backends(&live), ["api", "web-bbbbbbbbbb", "other"]);
    assert_eq!(canary(&live), None);
    assert_eq!(backends(&held(&live, &[share(0)])), ["api", "web-aaaaaaaaaa", "other"]);
    assert_eq!(restored(&live), shop());
}

#[test]
fn the_canary_ingress_has_the_paths_of_the_service_and_nothing_of_the_users_tools() {
    let beta = Condition { cookies: header("beta", "always").headers, ..Condition::default() };
    let conditions = vec![header("user", "me"), beta];
    let live = held(&shop(), &[Share { conditions, ..share(20) }]);
    let paths = [path("/", "web-bbbbbbbbbb")];
    let expected = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": "shop-bbbbbbbbbb",
            "namespace": "shop",
            "labels": { "sluice.dev/rollout": "web", "sluice.dev/revision": "bbbbbbbbbb" },
            "annotations": {
                "sluice.dev/route": "shop",
                "nginx.ingress.kubernetes.io/rewrite-target": "/$2",
                "nginx.ingress.kubernetes.io/canary": "true",
                "nginx.ingress.kubernetes.io/canary-weight": "20",
                "nginx.ingress.kubernetes.io/canary-by-header": "user",
                "nginx.ingress.kubernetes.io/canary-by-header-value": "me",
                "nginx.ingress.kubernetes.io/canary-by-cookie": "beta",
            },
        },
        "spec": {
            "ingressClassName": "nginx",
            "tls": [{ "hosts": ["shop.example"], "secretName": "shop-tls" }],
            "rules": [{ "host": "shop.example", "http": { "paths": paths } }],
        },
    });
    let made = canary(&live).unwrap();
    assert_eq!(made, expected);
    let marks = Canary::of(&made).unwrap();
    assert_eq!((&*marks.rollout, &*marks.route, &*marks.revision), ("web", "shop", "bbbbbbbbbb"));
    assert_eq!(Canary::of(&live), None);
}

#[test]
fn a_pattern_of_a_header_has_a_key_of_its_own() {
    let mut pattern = header("user", "^b");
    pattern.headers[0].compare = Compare::RegularExpression;
    let live = held(&shop(), &[Share { conditions: vec![pattern], ..share(0) }]);
    let made = canary(&live).unwrap();
    let annotations = &made["metadata"]["annotations"];
    assert_eq!(annotations["nginx.ingress.kubernetes.io/canary-by-header-pattern"], "^b");
    assert_eq!(annotations["nginx.ingress.kubernetes.io/canary-by-header-value"], Value::Null);
    assert_eq!(annotations["nginx.ingress.kubernetes.io/canary-weight"], "0");
}

#[test]
fn no_requests_need_no_canary_ingress() {
    assert_eq!(canary(&shop()), None);
    assert_eq!(canary(&held(&shop(), &[share(0)])), None);
    // Nobody has projected it yet: the user's own Service still answers.
    assert_eq!(canary(&with_hold(&shop(), &[share(20)])), None);
}

#[test]
fn a_live_canary_ingress_is_corrected_where_it_shapes_requests() {
    let wanted = canary(&held(&shop(), &[share(20)])).unwrap();
    let mut live = wanted.clone();
    live["metadata"]["uid"] = json!("1");
    live["metadata"]["annotations"]["cattle.io/endpoints"] = json!("[]");
    live["status"] = json!({ "loadBalancer": {} });
    assert_eq!(corrected(&live, &wanted), live);
    let right = live.clone();
    live["spec"]["tls"] = Value::Null;
    live["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-by-cookie"] = json!("x");
    live["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"] = json!("90");
    assert_eq!(corrected(&live, &wanted), right);
}

#[test]
fn names_of_canary_ingresses_fit() {
    let mut long = shop();
    long["metadata"]["name"] = json!(format!("{}.{}", "a".repeat(241), "b".repeat(11)));
    let name = canary(&held(&long, &[share(20)])).unwrap()["metadata"]["name"].clone();
    assert_eq!(name, format!("{}-bbbbbbbbbb", "a".repeat(241)));
}

/// No webhook saw the write: what the hold before remembered is in the next one, and the hold.
#[test]
fn a_weight_that_no_webhook_saw_is_made_good_by_the_next_write() {
    let live = held(&shop(), &[share(20)]);
    let hold = RouteHold { own: hold_of(&live).own, ..RouteHold::new(vec![share(100)]) };
    let unseen = with_text(&live, &hold.to_text());
    assert_eq!((projected(&unseen), canary(&unseen)), (Ok(false), None));
    let (seen, _) = written(&unseen, &unseen, Writer::Controller);
    assert_eq!(projected(&seen), Ok(true));
    assert_eq!(restored(&seen), shop());
}

/// What `kubectl apply` and GitOps tools send.
#[test]
fn the_manifest_applied_again_lands_projected_and_silently() {
    let live = held(&shop(), &[share(20)]);
    let mut sent = live.clone();
    sent["spec"] = shop()["spec"].clone();
    let (after, projection) = written(&live, &sent, Writer::Other);
    assert_eq!((&after, projection.verdict), (&live, Verdict::Overridden));
    assert_eq!(projection.warnings, Vec::<String>::new());
    sent["metadata"]["labels"] = json!({});
    sent["metadata"]["annotations"] = shop()["metadata"]["annotations"].clone();
    let (after, _) = written(&live, &sent, Writer::Other);
    assert_eq!(after["spec"], live["spec"]);
    assert_eq!(after["metadata"]["annotations"], live["metadata"]["annotations"]);
}

#[test]
fn another_path_is_the_users_own_and_the_canary_follows() {
    let live = held(&shop(), &[share(20)]);
    let mut own = shop();
    own["spec"]["rules"][1]["http"]["paths"][0] = path("/new", "web");
    let mut sent = live.clone();
    sent["spec"] = own["spec"].clone();
    let (after, projection) = written(&live, &sent, Writer::Other);
    assert_eq!(backends(&after), ["api", "web-aaaaaaaaaa", "web-aaaaaaaaaa"]);
    assert_eq!(backends(&canary(&after).unwrap()), ["web-bbbbbbbbbb", "web-bbbbbbbbbb"]);
    assert_eq!(restored(&after), own);
    assert!(projection.warnings[0].contains("until it is done"), "{:?}", projection.warnings);
}

#[test]
fn an_ingress_that_cannot_be_shared_stays_as_it_is_and_says_so() {
    let with = |pointer: &str, value: Value| {
        let mut object = shop();
        *object.pointer_mut(pointer).unwrap() = value;
        object
    };
    let fallback = json!({ "service": { "name": "web", "port": { "number": 80 } } });
    let mut falls_back = shop();
    falls_back["spec"]["defaultBackend"] = fallback;
    let mut is_canary = shop();
    is_canary["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary"] = json!("true");
    let own = with("/spec/rules/1/http/paths/0/backend/service/name", json!("web-bbbbbbbbbb"));
    let cases = [
        (with("/spec/ingressClassName", json!("alb")), "it is of alb, and only class nginx"),
        (with("/spec/ingressClassName", Value::Null), "it is of no class, and only"),
        (falls_back, "service web is its defaultBackend"),
        (is_canary, "it is a canary Ingress itself"),
        (own, "it names the Service web-bbbbbbbbbb itself"),
    ];
    for (object, said) in cases {
        let (live, projection) =
            written(&object, &with_hold(&object, &[share(20)]), Writer::Controller);
        assert_eq!(live["spec"], object["spec"]);
        assert!(projection.warnings[0].contains(said), "{said}: {:?}", projection.warnings);
        assert!(projected(&live).unwrap_err().to_string().contains(said));
        assert_eq!(canary(&live), None);
        assert_eq!(restored(&live), object);
    }
    let live = held(&shop(), &[Share { conditions: vec![query("v", "2")], ..share(20) }]);
    let why = projected(&live).unwrap_err().to_string();
    assert!(why.contains("it cannot choose requests by v=2"), "{why}");
}

#[test]
fn classes_of_the_family_and_by_annotation() {
    for class in ["nginx-internal", "public-nginx"] {
        let mut object = shop();
        object["spec"]["ingressClassName"] = json!(class);
        assert!(canary(&held(&object, &[share(20)])).is_some(), "{class}");
    }
    let mut old = shop();
    old["spec"].as_object_mut().unwrap().remove("ingressClassName");
    old["metadata"]["annotations"]["kubernetes.io/ingress.class"] = json!("nginx");
    let made = canary(&held(&old, &[share(20)])).unwrap();
    assert_eq!(made["metadata"]["annotations"]["kubernetes.io/ingress.class"], "nginx");
    assert_eq!(made["spec"].get("ingressClassName"), None);
}

/// An Ingress of any paths, some of them to Services of a hold.
fn any_ingress() -> impl Strategy<Value = Value> {
    let service = prop::sample::select(vec!["web", "api", "other"]);
    let paths = prop::collection::vec(service, 0..4);
    prop::collection::vec(prop::option::of(paths), 0..4).prop_map(|all| {
        let rule = |paths: Option<Vec<&str>>| match paths {
            None => json!({ "host": "empty.example" }),
            Some(paths) => {
                let paths: Vec<Value> = paths.iter().map(|name| path("/x", name)).collect();
                json!({ "http": { "paths": paths }, "x-unknown": [1] })
            }
        };
        let mut ingress = shop();
        ingress["spec"]["rules"] = all.into_iter().map(rule).collect();
        ingress
    })
}

fn any_hold() -> impl Strategy<Value = Vec<Share>> {
    let weight = prop::sample::select(vec![0, 1, 50, 99, 100]);
    (weight, any::<bool>(), any::<bool>(), "[ab]").prop_map(|(weight, both, chosen, revision)| {
        let conditions = if chosen { vec![header("user", "beta")] } else { Vec::new() };
        let of = |service: &str| Share {
            service: service.to_owned(),
            stable: Some(format!("{service}-0")),
            canary: format!("{service}-{revision}"),
            weight,
            conditions: conditions.clone(),
        };
        if both { vec![of("web"), of("api")] } else { vec![of("web")] }
    })
}

proptest! {
    #[test]
    fn whatever_was_held_before_the_users_own_comes_back(
        own in any_ingress(),
        holds in prop::collection::vec(any_hold(), 1..4),
    ) {
        let mut live = own.clone();
        for hold in &holds {
            live = held(&live, hold);
            prop_assert_eq!(projected(&live), Ok(true));
            let mut applied = live.clone();
            applied["spec"] = own["spec"].clone();
            prop_assert_eq!(&written(&live, &applied, Writer::Other).0, &live);
        }
        prop_assert_eq!(restored(&live), own);
    }

    /// A canary Ingress stands on paths of the live one alone, and serves one revision alone.
    #[test]
    fn a_canary_has_paths_of_held_services_only(own in any_ingress(), hold in any_hold()) {
        let live = held(&own, &hold);
        let pinned = |name: &&&str| hold.iter().any(|one| one.stable.as_deref() == Some(**name));
        let paths = backends(&live).iter().filter(pinned).count();
        let Some(made) = canary(&live) else {
            let asks = hold[0].weight > 0 || !hold[0].conditions.is_empty();
            prop_assert!(!asks || hold[0].weight == 100 || paths == 0);
            return Ok(());
        };
        prop_assert_eq!(backends(&made).len(), paths);
        let ours = |name: &&str| hold.iter().any(|one| one.canary == **name);
        prop_assert!(backends(&made).iter().all(ours));
        prop_assert_eq!(corrected(&made, &made), made);
    }
}
