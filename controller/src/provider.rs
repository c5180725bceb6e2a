//! Metric providers: from the administrator's object to answers. Owns the bounds of a question: a
//! size, a time, so many at once. What an answer means is the `gate` crate's.

use std::time::Duration;

use crds::MetricProvider;
use crds::gates::PrometheusProvider;
use gate::answer::{AnswerError, BODY_BYTES_MAX};
use gate::query::lookback;
use gate::verdict::{self, Asked, Trouble};
use jiff::Timestamp;
use kube::Client;
use prometheus_http_query as prometheus;
use reqwest::Response;
use runtime::chain;
use tokio::time::timeout;

use crate::configured::{ConfigError, Configured, Known};
use crate::credentials::{CredentialError, Credentials};
use crate::slots::Slots;

/// How long an answer may take, unless the provider says so.
const ANSWER: Duration = Duration::from_secs(10);
/// Questions at once, unless the provider says so.
const AT_ONCE: u32 = 10;
const WANTED: &str = "token, nor username and password, nor tls.crt and tls.key, nor ca.crt";

/// All providers that were asked lately.
pub struct Providers(Known<MetricProvider>);

/// A client of Prometheus and its bounds.
pub struct Provider {
    client: prometheus::Client,
    slots: Slots,
    answer: Duration,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// PromQL, sent as it is.
    pub query: &'a str,
    /// How old a sample may be that a plain selector finds.
    pub window: Duration,
    /// How long it may wait for its turn.
    pub patience: Duration,
    /// About a moment in whole seconds; None: about the present.
    pub at: Option<Timestamp>,
}

impl Providers {
    /// Providers read by `client`, with Secrets in `namespace`.
    pub fn new(client: Client, namespace: &str) -> Self {
        Self(Known::new(client, namespace))
    }

    /// Asks a question.
    pub async fn ask(&self, provider: &str, question: Question<'_>) -> Asked {
        match self.0.find(provider).await {
            Ok(found) => found.ask(question).await,
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
        Ok(Provider {
            client: client.map_err(|error| ConfigError::Address(error.to_string()))?,
            slots: Slots::new(spec.concurrency.unwrap_or(AT_ONCE)),
            answer: spec.timeout.map_or(ANSWER, |timeout| timeout.get()),
        })
    }
}

impl Provider {
    async fn ask(&self, question: Question<'_>) -> Asked {
        let slot = self.slots.take(question.patience).await;
        let _slot = slot.map_err(|crowded| Trouble::Queued(crowded.to_string()))?;
        let millis = i64::try_from(self.answer.as_millis()).unwrap_or(i64::MAX);
        let asked = async {
            let asking = self.client.query(question.query).timeout(millis);
            let asking = asking.query("lookback_delta", lookback(question.window));
            let asking = match question.at {
                Some(at) => asking.at(at.as_second()),
                None => asking,
            };
            let sent = asking.post_raw().await;
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
