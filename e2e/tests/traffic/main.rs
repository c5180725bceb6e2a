//! What tests of traffic and of gates stand on, each against the real thing: Traefik shares
//! requests as routes say, also as the projection of a route says; Prometheus counts them by
//! revision; the load generator accounts for all of them. No Sluice has a part in it.

mod counts;
mod ingress;
mod route;
mod stage;
