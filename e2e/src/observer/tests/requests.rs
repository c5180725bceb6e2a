//! Routes and endpoints, made by hand.

use std::collections::BTreeSet;

use super::super::requests::{Requests, Traffic};

fn route(services: &[&str]) -> Traffic {
    let services: BTreeSet<String> = services.iter().map(|name| (*name).to_owned()).collect();
    Traffic::Route("route web".to_owned(), services)
}

fn endpoints(service: &str, ready: usize) -> Traffic {
    Traffic::Endpoints(format!("{service}-x"), service.to_owned(), ready)
}

fn vain(requests: &mut Requests, seen: Traffic) -> Option<String> {
    requests.see(seen).1
}

#[test]
fn the_users_service_may_come_before_its_pods_but_not_lose_them() {
    let mut requests = Requests::default();
    assert_eq!(vain(&mut requests, route(&["web"])), None);
    assert_eq!(vain(&mut requests, endpoints("web", 0)), None);
    assert_eq!(vain(&mut requests, endpoints("web", 2)), None);
    let said = vain(&mut requests, endpoints("web", 0));
    assert_eq!(said.as_deref(), Some("route web sends to web"));
}

#[test]
fn another_service_has_to_answer_before_and_as_long_as_it_is_named() {
    let mut requests = Requests::default();
    vain(&mut requests, endpoints("web", 1));
    assert!(vain(&mut requests, route(&["web", "web-v2"])).is_some());
    assert_eq!(vain(&mut requests, endpoints("web-v2", 1)), None);
    assert!(vain(&mut requests, Traffic::EndpointsGone("web-v2-x".to_owned())).is_some());
    assert_eq!(vain(&mut requests, route(&["web"])), None);
    assert_eq!(vain(&mut requests, Traffic::RouteGone("route web".to_owned())), None);
}
