//! The way to Prometheus: through the apiserver's proxy of its Service, with the user's own rights,
//! or straight to an address. Follows no redirect, reads no more than the controller would.

use std::time::Duration;

use crds::MetricProvider;
use gate::answer::{AnswerError, BODY_BYTES_MAX};
use gate::query::lookback;
use gate::verdict::{self, Asked, Trouble};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use jiff::Timestamp;
use kube::Client;
use kube::client::Body;
use reqwest::Url;
use reqwest::redirect::Policy;
use serde_json::Value;

use super::Way;
use crate::cluster::Cluster;
use crate::error::Error;

/// How long an answer may take, unless the provider says so.
const ANSWER: Duration = Duration::from_secs(10);

/// A Prometheus within reach.
pub(crate) struct Prometheus {
    way: Reach,
    answer: Duration,
}

enum Reach {
    /// A path of the apiserver.
    Proxied(Client, String),
    /// An address and a token.
    Direct(reqwest::Client, Url, Option<String>),
}

impl Prometheus {
    /// The provider's, by the way that the user chose.
    pub(crate) fn of(
        cluster: &Cluster,
        provider: &MetricProvider,
        way: &Way,
    ) -> Result<Self, Error> {
        let spec = &provider.spec.prometheus;
        let name = provider.metadata.name.as_deref().unwrap_or_default();
        let way = match &way.address {
            Some(address) => direct(address, way)?,
            None if spec.secret.is_some() => {
                return Err(Error::Refused(format!(
                    "MetricProvider {name} asks with a Secret that only Sluice reads: give \
                     --address and, if need be, --token-file"
                )));
            }
            None => {
                let path = service_path(&spec.address).ok_or_else(|| {
                    Error::Refused(format!(
                        "{} of MetricProvider {name} is no Service of the cluster: give --address",
                        spec.address
                    ))
                })?;
                Reach::Proxied(cluster.client.clone(), path)
            }
        };
        Ok(Self { way, answer: spec.timeout.map_or(ANSWER, |timeout| timeout.get()) })
    }

    /// Asks a query as the controller does: about the present or about a moment in whole seconds,
    /// with samples no older than the window.
    pub(crate) async fn ask(&self, query: &str, window: Duration, at: Option<Timestamp>) -> Asked {
        let parameters = parameters(query, window, at);
        let asked = async {
            match &self.way {
                Reach::Proxied(client, path) => proxied(client, path, &parameters).await,
                Reach::Direct(client, url, token) => {
                    directly(client, url, token.as_deref(), &parameters).await
                }
            }
        };
        tokio::time::timeout(self.answer, asked).await.unwrap_or_else(|_| {
            let seconds = self.answer.as_secs_f64();
            Err(Trouble::Unreachable(format!("no answer within {seconds} s")))
        })
    }
}

pub(super) fn parameters(
    query: &str,
    window: Duration,
    at: Option<Timestamp>,
) -> Vec<(&'static str, String)> {
    let mut parameters = vec![("query", query.to_owned()), ("lookback_delta", lookback(window))];
    parameters.extend(at.map(|at| ("time", at.as_second().to_string())));
    parameters
}

/// The apiserver's path to what `address` names, if that is a Service: `name.namespace` as pods
/// write it, with or without `svc` and the cluster's domain.
pub(super) fn service_path(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    let scheme = uri.scheme_str()?;
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    let mut labels = uri.host()?.split('.');
    let (service, namespace) = (labels.next()?, labels.next()?);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(labels.next(), None | Some("svc")) || digits(namespace) {
        return None;
    }
    let prefix = uri.path().trim_end_matches('/');
    let service = format!("services/{scheme}:{service}:{port}/proxy{prefix}");
    Some(format!("/api/v1/namespaces/{namespace}/{service}/api/v1/query"))
}

fn direct(address: &str, way: &Way) -> Result<Reach, Error> {
    let refused = |why: &dyn std::fmt::Display| Error::Refused(format!("--address: {why}"));
    let base = format!("{}/api/v1/query", address.trim_end_matches('/'));
    let url = Url::parse(&base).map_err(|error| refused(&error))?;
    let token = way.token_file.as_ref().map(|path| {
        let source = |source| Error::File { path: path.clone(), source };
        std::fs::read_to_string(path).map_err(source).map(|token| token.trim().to_owned())
    });
    let client = reqwest::Client::builder().redirect(Policy::none());
    // Without TLS nobody has to be trusted, and this machine need not know whom.
    let client = if url.scheme() == "http" { client.tls_certs_only([]) } else { client };
    let client = client.build().map_err(|error| refused(&error))?;
    Ok(Reach::Direct(client, url, token.transpose()?))
}

async fn directly(
    client: &reqwest::Client,
    url: &Url,
    token: Option<&str>,
    parameters: &[(&str, String)],
) -> Asked {
    let mut url = url.clone();
    url.query_pairs_mut().extend_pairs(parameters);
    let request = client.get(url);
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let mut response = request.send().await.map_err(|error| unreachable(&error))?;
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| unreachable(&error))? {
        body.extend_from_slice(&piece);
        if body.len() > BODY_BYTES_MAX {
            return Err(AnswerError::TooLarge(body.len()).into());
        }
    }
    verdict::read(response.status().is_success(), response.status(), &body)
}

async fn proxied(client: &Client, path: &str, parameters: &[(&str, String)]) -> Asked {
    // Only its query is used.
    let url = Url::parse_with_params("http://proxied", parameters);
    let url = url.map_err(|error| unreachable(&error))?;
    let uri = format!("{path}?{}", url.query().unwrap_or_default());
    let request = Request::get(uri).body(Body::empty()).map_err(|error| unreachable(&error))?;
    let response = client.send(request).await.map_err(|error| unreachable(&error))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), BODY_BYTES_MAX).collect().await;
    let body = body.map_err(|error| unreachable(&*error))?.to_bytes();
    match refusal(status, &body) {
        Some(why) => Err(Trouble::Unasked(why)),
        None => verdict::read(status.is_success(), status, &body),
    }
}

/// What the apiserver itself says instead of passing the question on.
fn refusal(status: StatusCode, body: &[u8]) -> Option<String> {
    let said: Value = serde_json::from_slice(body).ok().filter(|_| !status.is_success())?;
    let said = (said["kind"] == "Status").then(|| said["message"].as_str())??;
    Some(format!("the apiserver says {said}; --address goes around it"))
}

fn unreachable(error: &dyn std::error::Error) -> Trouble {
    Trouble::Unreachable(runtime::chain(error).to_string())
}
