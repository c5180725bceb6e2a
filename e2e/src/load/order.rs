//! What a load consists of, and the bounds that no load exceeds. Must not send anything.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::uri::Scheme;
use http::{HeaderName, HeaderValue, Uri};
use serde::{Deserialize, Serialize};

/// Requests of one load at most.
const COUNT_MAX: u64 = 200_000;
/// Requests a second at most.
const RATE_MAX: u32 = 2_000;
/// Time of one load at most.
const TIME_MAX: Duration = Duration::from_mins(10);
/// The port of a URL without one.
const HTTP: u16 = 80;
/// Requests in flight at most.
const LANES_MAX: usize = 64;

/// A load: so many requests to a URL, at this rate, for no longer than this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// `http://ADDRESS:PORT/PATH`; the address is one of this machine's.
    pub url: String,
    /// Headers of every request. `host` replaces the URL's.
    pub headers: Vec<(String, String)>,
    /// Requests in all.
    pub count: u64,
    /// Requests a second, evenly spread. A late one is sent at once.
    pub rate: u32,
    /// When the last one is sent, at the latest.
    pub time: Duration,
    /// Requests in flight at most; each lane has one, on a connection of its own.
    pub lanes: usize,
    /// Keep connections alive; otherwise each request opens one.
    pub keep_alive: bool,
    /// How long an answer may take, connecting included.
    pub patience: Duration,
}

/// Why an order is not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The URL is none that this generator asks.
    #[error("{0:?} is no http://ADDRESS:PORT/PATH of this machine or its cluster")]
    Url(String),
    /// A header that HTTP does not know.
    #[error("no header: {0:?}")]
    Header(String),
    /// Beyond the bounds.
    #[error("{0} is not within its bounds")]
    Bounds(&'static str),
}

/// An order that can be carried out.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    pub(super) path: Uri,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Order {
    /// 100 requests a second on kept connections for a minute.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            headers: Vec::new(),
            count: 6_000,
            rate: 100,
            time: Duration::from_mins(1),
            lanes: 8,
            keep_alive: true,
            patience: Duration::from_secs(5),
        }
    }

    /// With this header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a new connection for each request.
    #[must_use]
    pub fn new_connections(mut self) -> Self {
        self.keep_alive = false;
        self
    }

    /// With so many requests at so many a second.
    #[must_use]
    pub fn requests(mut self, count: u64, rate: u32) -> Self {
        (self.count, self.rate) = (count, rate);
        self
    }

    /// What is to be asked, if that is allowed.
    pub(super) fn target(&self) -> Result<Target, Refused> {
        let bounds = [
            ("count", (1..=COUNT_MAX).contains(&self.count)),
            ("rate", (1..=RATE_MAX).contains(&self.rate)),
            ("time", self.time <= TIME_MAX),
            ("lanes", (1..=LANES_MAX).contains(&self.lanes)),
            ("patience", !self.patience.is_zero() && self.patience <= TIME_MAX),
        ];
        if let Some((what, _)) = bounds.into_iter().find(|(_, within)| !within) {
            return Err(Refused::Bounds(what));
        }
        let (address, authority, path) =
            self.address().ok_or_else(|| Refused::Url(self.url.clone()))?;
        let mut headers = vec![(http::header::HOST, authority)];
        for (name, value) in &self.headers {
            let parsed = name.parse::<HeaderName>().ok().zip(value.parse::<HeaderValue>().ok());
            let header = parsed.ok_or_else(|| Refused::Header(name.clone()))?;
            headers.retain(|(known, _)| *known != http::header::HOST || header.0 != *known);
            headers.push(header);
        }
        Ok(Target { address, path, headers })
    }

    fn address(&self) -> Option<(SocketAddr, HeaderValue, Uri)> {
        let uri: Uri = self.url.parse().ok()?;
        let authority = uri.authority()?;
        let host: IpAddr = authority.host().trim_matches(['[', ']']).parse().ok()?;
        let address = SocketAddr::new(host, authority.port_u16().unwrap_or(HTTP));
        let path = uri.path_and_query()?.as_str().parse().ok()?;
        let known = uri.scheme() == Some(&Scheme::HTTP) && is_ours(address.ip());
        known.then_some((address, authority.as_str().parse().ok()?, path))
    }
}

/// This machine, and the ranges that the clusters of these tests take their addresses from
/// (cluster/node/subnet.sh; pods and Services). A load must never go anywhere else.
fn is_ours(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            matches!(v4.octets(), [127, ..] | [198, 18 | 19, ..] | [10, 88 | 96 | 213, ..])
        }
        IpAddr::V6(v6) => v6.is_loopback(),
    }
}
