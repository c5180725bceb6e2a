//! Metric providers: from the administrator's object to answers. Owns where credentials come from
//! and the bounds of a question: no redirect, a size, a time, so many at once. What an answer
//! means is the `gate` crate's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crds::MetricProvider;
use crds::gates::PrometheusProvider;
use gate::answer::{AnswerError, BODY_BYTES_MAX};
use gate::verdict::{self, Asked, Trouble};
use http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use prometheus_http_query as prometheus;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Response};
use runtime::{chain, clock};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout};

/// Provider and Secret are read again after so long: a new password is used soon, and gates do not
/// read them each time.
const KNOWN: Duration = Duration::from_secs(15);
/// How long an answer may take, unless the provider says so; and a read of the provider itself.
const ANSWER: Duration = Duration::from_secs(10);
/// Questions at once, unless the provider says so.
const AT_ONCE: u32 = 10;

/// Why a provider cannot be asked.
#[derive(Debug, thiserror::Error)]
enum ProviderError {
    #[error("there is no MetricProvider {0}: the administrator makes it")]
    Missing(String),
    #[error("MetricProvider {0} cannot be read")]
    Unread(String, #[source] kube::Error),
    #[error("reading MetricProvider {0} takes too long")]
    Slow(String),
    #[error("Secret {0} of the provider cannot be read")]
    Secret(String, #[source] kube::Error),
    #[error("Secret {0} has neither token, nor username and password, nor ca.crt")]
    Empty(String),
    #[error("Secret {0} has a {1} that cannot be sent")]
    Credential(String, &'static str),
    #[error("Secret {0} has a ca.crt that is no certificate")]
    Authority(String, #[source] reqwest::Error),
    #[error("the provider's client cannot be made")]
    Client(#[source] reqwest::Error),
    #[error("the provider's address cannot be used")]
    Address(#[source] prometheus::Error),
}

/// All providers that were asked lately.
pub struct Providers {
    client: Client,
    /// Sluice's own: where Secrets are.
    namespace: String,
    known: Mutex<HashMap<String, Known>>,
}

struct Known {
    made_of: MadeOf,
    provider: Arc<Provider>,
    until: Instant,
}

/// What a client was made of: as long as that stays, so does the client.
#[derive(PartialEq)]
struct MadeOf {
    spec: PrometheusProvider,
    /// resourceVersion of the Secret.
    secret: Option<String>,
}

/// A client and its bounds.
struct Provider {
    client: prometheus::Client,
    slots: Semaphore,
    answer: Duration,
}

impl Providers {
    /// Providers read by `client`, with Secrets in `namespace`.
    pub fn new(client: Client, namespace: &str) -> Self {
        Self { client, namespace: namespace.to_owned(), known: Mutex::default() }
    }

    /// Asks a query as it is: about the present, or about a moment in whole seconds.
    pub async fn ask(&self, provider: &str, query: &str, at: Option<Timestamp>) -> Asked {
        let found = timeout(ANSWER, self.find(provider)).await;
        let found = found.unwrap_or_else(|_| Err(ProviderError::Slow(provider.to_owned())));
        match found {
            Ok(found) => found.ask(query, at).await,
            Err(error) => Err(Trouble::Unasked(chain(&error).to_string())),
        }
    }

    async fn find(&self, name: &str) -> Result<Arc<Provider>, ProviderError> {
        // Held while it is read: whoever asks at the same time wants to know the same.
        let mut known = self.known.lock().await;
        let now = clock::instant();
        if let Some(known) = known.get(name).filter(|known| now < known.until) {
            return Ok(Arc::clone(&known.provider));
        }
        let api: Api<MetricProvider> = Api::all(self.client.clone());
        let read = api.get(name).await.map_err(|error| match error {
            kube::Error::Api(status) if status.code == 404 => {
                ProviderError::Missing(name.to_owned())
            }
            error => ProviderError::Unread(name.to_owned(), error),
        })?;
        let secret = self.secret(read.spec.prometheus.secret.as_deref()).await?;
        let version = secret.as_ref().and_then(|secret| secret.metadata.resource_version.clone());
        let made_of = MadeOf { spec: read.spec.prometheus, secret: version };
        let old = known.remove(name).filter(|old| old.made_of == made_of);
        let provider = match old {
            Some(old) => old.provider,
            None => Arc::new(Provider::new(&made_of.spec, secret.as_ref())?),
        };
        let entry = Known { made_of, provider: Arc::clone(&provider), until: now + KNOWN };
        known.insert(name.to_owned(), entry);
        Ok(provider)
    }

    async fn secret(&self, name: Option<&str>) -> Result<Option<Secret>, ProviderError> {
        let Some(name) = name else { return Ok(None) };
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        let read = api.get(name).await;
        read.map(Some).map_err(|error| ProviderError::Secret(name.to_owned(), error))
    }
}

impl Provider {
    fn new(spec: &PrometheusProvider, secret: Option<&Secret>) -> Result<Self, ProviderError> {
        let answer = spec.timeout.map_or(ANSWER, |timeout| timeout.get());
        let mut builder = reqwest::Client::builder().redirect(Policy::none()).no_proxy();
        let plain = spec.address.starts_with("http://");
        match secret.map(Credentials::of).transpose()? {
            Some(Credentials { headers, authorities }) if authorities.is_empty() && !plain => {
                builder = builder.default_headers(headers);
            }
            Some(Credentials { headers, authorities }) => {
                builder = builder.default_headers(headers).tls_certs_only(authorities);
            }
            // Without TLS nobody has to be trusted, and the image need not know whom.
            None if plain => builder = builder.tls_certs_only([]),
            None => {}
        }
        let client = builder.build().map_err(ProviderError::Client)?;
        let client = prometheus::Client::from(client, spec.address.trim_end_matches('/'));
        let slots = spec.concurrency.unwrap_or(AT_ONCE).max(1);
        Ok(Self {
            client: client.map_err(ProviderError::Address)?,
            slots: Semaphore::new(usize::try_from(slots).unwrap_or(usize::MAX)),
            answer,
        })
    }

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

/// What a Secret says of who asks, and of whom to trust.
struct Credentials {
    headers: HeaderMap,
    authorities: Vec<Certificate>,
}

impl Credentials {
    fn of(secret: &Secret) -> Result<Self, ProviderError> {
        let name = || secret.metadata.name.clone().unwrap_or_default();
        let value = |key| secret.data.as_ref()?.get(key).map(|bytes| bytes.0.as_slice());
        let mut headers = HeaderMap::new();
        let (token, user, password) = (value("token"), value("username"), value("password"));
        let proof = match (token, user, password) {
            (Some(token), ..) => Some(("token", bearer(token))),
            (None, Some(user), Some(password)) => Some(("password", basic(user, password))),
            _ => None,
        };
        if let Some((what, proof)) = proof {
            let mut proof = HeaderValue::from_bytes(&proof)
                .map_err(|_| ProviderError::Credential(name(), what))?;
            proof.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, proof);
        }
        let authorities = value("ca.crt").map_or(Ok(Vec::new()), Certificate::from_pem_bundle);
        let authorities = authorities.map_err(|error| ProviderError::Authority(name(), error))?;
        if headers.is_empty() && authorities.is_empty() {
            return Err(ProviderError::Empty(name()));
        }
        Ok(Self { headers, authorities })
    }
}

fn bearer(token: &[u8]) -> Vec<u8> {
    [b"Bearer ", token.trim_ascii()].concat()
}

fn basic(user: &[u8], password: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let pair = [user.trim_ascii(), b":", password.trim_ascii()].concat();
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)).into_bytes()
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
