//! Metric providers: from the administrator's object to answers. Owns the bounds of a question: a
//! size, a time, so many at once. What an answer means is the `gate` crate's.

use std::time::Duration;

use crds::MetricProvider;
use crds::gates::PrometheusProvider;
use gate::answer::{AnswerError, BODY_BYTES_MAX};
use gate::verdict::{self, Asked, Trouble};
use jiff::Timestamp;
use kube::Client;
use prometheus_http_query as prometheus;
use reqwest::Response;
use runtime::chain;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::configured::{ConfigError, Configured, Known};
use crate::credentials::{CredentialError, Credentials};

/// How long an answer may take, unless the provider says so.
const ANSWER: Duration = Duration::from_secs(10);
/// Questions at once, unless the provider says so.
const AT_ONCE: u32 = 10;
const WANTED: &str = "token, nor username and password, nor ca.crt";

/// All providers that were asked lately.
pub struct Providers(Known<MetricProvider>);

/// A client of Prometheus and its bounds.
pub struct Provider {
    client: prometheus::Client,
    slots: Semaphore,
    answer: Duration,
}

impl Providers {
    /// Providers read by `client`, with Secrets in `namespace`.
    pub fn new(client: Client, namespace: &str) -> Self {
        Self(Known::new(client, namespace))
    }

    /// Asks a query as it is: about the present, or about a moment in whole seconds.
    pub async fn ask(&self, provider: &str, query: &str, at: Option<Timestamp>) -> Asked {
        match self.0.find(provider).await {
            Ok(found) => found.ask(query, at).await,
            Err(error) => Err(Trouble::Unasked(chain(&error).to_string())),
        }
    }
}

impl Configured for MetricProvider {
    type Spec = PrometheusProvider;
    type Client = Provider;

    fn spec(&self) -> &PrometheusProvider {
        &self.spec.prometheus
    }

    fn secret(spec: &PrometheusProvider) -> Option<&str> {
        spec.secret.as_deref()
    }

    fn client(
        spec: &PrometheusProvider,
        name: &str,
        credentials: Credentials,
    ) -> Result<Provider, ConfigError> {
        if spec.secret.is_some() && !credentials.is_known() {
            return Err(CredentialError::Empty(name.to_owned(), WANTED).into());
        }
        let client = credentials.client(&spec.address).map_err(ConfigError::Client)?;
        let client = prometheus::Client::from(client, spec.address.trim_end_matches('/'));
        let slots = spec.concurrency.unwrap_or(AT_ONCE).max(1);
        Ok(Provider {
            client: client.map_err(|error| ConfigError::Address(error.to_string()))?,
            slots: Semaphore::new(usize::try_from(slots).unwrap_or(usize::MAX)),
            answer: spec.timeout.map_or(ANSWER, |timeout| timeout.get()),
        })
    }
}

impl Provider {
    async fn ask(&self, query: &str, at: Option<Timestamp>) -> Asked {
        // Nobody closes it.
        let _slot = self.slots.acquire().await;
        let millis = i64::try_from(self.answer.as_millis()).unwrap_or(i64::MAX);
        let asked = async {
            let question = self.client.query(query).timeout(millis);
            let question = match at {
                Some(at) => question.at(at.as_second()),
                None => question,
            };
            let sent = question.post_raw().await;
            let response = sent.map_err(|error| unreachable(&error))?;
            read(response).await
        };
        timeout(self.answer, asked).await.unwrap_or_else(|_| {
            Err(Trouble::Unreachable(format!("no answer within {} s", self.answer.as_secs_f64())))
        })
    }
}

/// The body, as far as it may go.
async fn read(mut response: Response) -> Asked {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| unreachable(&error))? {
        body.extend_from_slice(&piece);
        if body.len() > BODY_BYTES_MAX {
            return Err(AnswerError::TooLarge(body.len()).into());
        }
    }
    verdict::read(response.status().is_success(), response.status(), &body)
}

fn unreachable(error: &dyn std::error::Error) -> Trouble {
    Trouble::Unreachable(chain(error).to_string())
}

#[cfg(test)]
mod tests;
