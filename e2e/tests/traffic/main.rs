//! What tests of traffic stand on, against the real thing: Traefik shares requests as routes say,
//! also as the projection of a route says. No Sluice has a part in it.

mod ingress;
mod route;
mod stage;
