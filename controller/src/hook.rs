//! Hooks, sent: from the administrator's HookProvider to what its service answers. What an answer
//! means is the `gate` crate's.

use std::time::Duration;

use crds::gates::{HookProvider, HookProviderSpec};
use gate::hook::Heard;
use gate::{HookAnswer, HookTrouble};
use kube::Client;
use plan::HookCall;
use runtime::chain;
use tokio::time::sleep;

use crate::configured::{ConfigError, Configured, Known};
use crate::credentials::{CredentialError, Credentials};
use crate::endpoint::{Endpoint, Said};
use crate::slots::Crowded;

/// Requests at once, unless the provider says so.
const AT_ONCE: u32 = 10;
/// After a server's failure it is sent once more after so long.
const AGAIN: Duration = Duration::from_millis(250);
const WANTED: &str = "signing-key, nor token, nor username and password, nor tls.crt and \
                      tls.key, nor ca.crt";

/// All HookProviders that were asked lately.
pub struct Hooks(Known<HookProvider>);

impl Hooks {
    /// Providers read by `client`, with Secrets in `namespace`.
    pub fn new(client: Client, namespace: &str) -> Self {
        Self(Known::new(client, namespace))
    }

    /// Sends a hook; once more if its server fails, which may be over in a moment.
    pub async fn send(&self, provider: &str, call: &HookCall, patience: Duration) -> Heard {
        let endpoint = self.0.find(provider).await;
        let endpoint = endpoint.map_err(|error| HookTrouble::Unsent(chain(&error).to_string()))?;
        let body = serde_json::to_vec(call);
        let body = body.map_err(|error| HookTrouble::Unsent(error.to_string()))?;
        let first = heard(endpoint.post_within(patience, body.clone()).await);
        if !first.as_ref().is_ok_and(HookAnswer::is_server_error) {
            return first;
        }
        sleep(AGAIN).await;
        match heard(endpoint.post_within(patience, body).await) {
            Err(HookTrouble::Queued(_)) => first,
            second => second,
        }
    }
}

fn heard(posted: Result<Result<Said, String>, Crowded>) -> Heard {
    let said = posted.map_err(|crowded| HookTrouble::Queued(crowded.to_string()))?;
    let Said { status, body } = said.map_err(HookTrouble::Unreachable)?;
    Ok(HookAnswer::new(status, &body))
}

impl Configured for HookProvider {
    type Spec = HookProviderSpec;
    type Client = Endpoint;

    fn spec(&self) -> &HookProviderSpec {
        &self.spec
    }

    fn secret(spec: &HookProviderSpec) -> Option<&str> {
        spec.secret.as_deref()
    }

    fn client(
        spec: &HookProviderSpec,
        name: &str,
        credentials: Credentials,
    ) -> Result<Endpoint, ConfigError> {
        if spec.secret.is_some() && !credentials.is_known() && credentials.signing_key.is_none() {
            return Err(CredentialError::Empty(name.to_owned(), WANTED).into());
        }
        let at_once = spec.concurrency.unwrap_or(AT_ONCE);
        Endpoint::new(&spec.address, credentials, spec.timeout, at_once)
    }
}

#[cfg(test)]
mod tests;
