//! A signed POST to an address of the administrator's, within bounds: a time, so many at once, no
//! redirect, the beginning of an answer. What the answer means is its reader's.

use std::time::Duration;

use crds::GepDuration;
use http::{HeaderValue, header};
use jiff::Timestamp;
use reqwest::{Client, Response, Url};
use ring::hmac;
use runtime::{chain, clock};
use tokio::time::timeout;

use crate::configured::ConfigError;
use crate::credentials::Credentials;
use crate::slots::{Crowded, Slots};

/// When the request was signed, in whole seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "x-sluice-timestamp";
/// HMAC-SHA256 of the timestamp, a point and the body.
pub const SIGNATURE_HEADER: &str = "x-sluice-signature-256";
/// How long an answer may take, unless the object says so.
const ANSWER: Duration = Duration::from_secs(10);
/// A longer answer is none.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// More of an answer is not kept.
const KEPT_BYTES_MAX: usize = 4096;
const AGENT: &str = concat!("sluice-controller/", env!("CARGO_PKG_VERSION"));

/// Where requests go.
#[derive(Debug)]
pub struct Endpoint {
    client: Client,
    address: Url,
    signing_key: Option<hmac::Key>,
    slots: Slots,
    answer: Duration,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Of HTTP.
    pub status: u16,
    /// The beginning of the body.
    pub body: Vec<u8>,
}

impl Endpoint {
    /// At this address, which is never told: it may be a secret.
    ///
    /// # Errors
    /// The address is none, or there is nobody to trust.
    pub fn new(
        address: &str,
        credentials: Credentials,
        answer: Option<GepDuration>,
        at_once: u32,
    ) -> Result<Self, ConfigError> {
        let url = Url::parse(address).map_err(|error| ConfigError::Address(error.to_string()))?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(ConfigError::Address("it is neither http nor https".to_owned()));
        }
        // As it was parsed: what is written HTTP:// is plain, too.
        let client = credentials.client(url.as_str()).map_err(ConfigError::Client)?;
        Ok(Self {
            client,
            address: url,
            signing_key: credentials.signing_key,
            slots: Slots::new(at_once),
            answer: answer.map_or(ANSWER, |answer| answer.get()),
        })
    }

    /// Posts a JSON document; its answer, or why there is none.
    ///
    /// # Errors
    /// No connection, no whole answer in time.
    pub async fn post(&self, body: Vec<u8>) -> Result<Said, String> {
        match self.post_within(Duration::MAX, body).await {
            Ok(said) => said,
            Err(crowded) => Err(crowded.to_string()),
        }
    }

    /// The same, unless its turn does not come for so long.
    ///
    /// # Errors
    /// Others were before it.
    pub async fn post_within(
        &self,
        patience: Duration,
        body: Vec<u8>,
    ) -> Result<Result<Said, String>, Crowded> {
        let _slot = self.slots.take(patience).await?;
        Ok(self.answer(body).await)
    }

    async fn answer(&self, body: Vec<u8>) -> Result<Said, String> {
        let asked = async {
            let request = self.client.post(self.address.clone());
            let request = request
                .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .header(header::USER_AGENT, HeaderValue::from_static(AGENT));
            let request = match &self.signing_key {
                Some(key) => {
                    let (at, signature) = signed(key, clock::now(), &body);
                    request.header(TIMESTAMP_HEADER, at).header(SIGNATURE_HEADER, signature)
                }
                None => request,
            };
            let response = request.body(body).send().await.map_err(told)?;
            read(response).await
        };
        timeout(self.answer, asked)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} s", self.answer.as_secs_f64())))
    }
}

/// The timestamp, and the signature of both.
fn signed(key: &hmac::Key, now: Timestamp, body: &[u8]) -> (String, String) {
    let at = now.as_second().to_string();
    let mut context = hmac::Context::with_key(key);
    context.update(at.as_bytes());
    context.update(b".");
    context.update(body);
    let tag = context.sign();
    let mut signature = "sha256=".to_owned();
    for byte in tag.as_ref() {
        signature.push_str(&format!("{byte:02x}"));
    }
    (at, signature)
}

/// The beginning of the body. An answer counts once it is whole.
async fn read(mut response: Response) -> Result<Said, String> {
    let (mut body, mut size) = (Vec::new(), 0);
    while let Some(piece) = response.chunk().await.map_err(told)? {
        size += piece.len();
        if size > ANSWER_BYTES_MAX {
            return Err(format!("its answer is longer than {ANSWER_BYTES_MAX} bytes"));
        }
        let room = KEPT_BYTES_MAX - body.len();
        body.extend_from_slice(&piece[..piece.len().min(room)]);
    }
    Ok(Said { status: response.status().as_u16(), body })
}

fn told(error: reqwest::Error) -> String {
    chain(&error.without_url()).to_string()
}

#[cfg(test)]
mod tests;
