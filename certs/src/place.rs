//! Where the certificate and the trust in it stand on the cluster. Names only.

/// The objects of one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Namespace of Sluice itself.
    pub namespace: String,
    /// The Secret with CA and serving certificate.
    pub secret: String,
    /// The webhook's Service, which the certificate is for.
    pub service: String,
    /// Name of the mutating and of the validating webhook configuration.
    pub registration: String,
    /// Field manager of what is written.
    pub manager: String,
}

impl Place {
    /// The names that the certificate is for. The apiserver asks for the first.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let host = format!("{}.{}.svc", self.service, self.namespace);
        let in_full = format!("{host}.cluster.local");
        vec![host, in_full]
    }
}
