//! The AdmissionReview on the wire: reading the envelope, writing the answer. The objects inside
//! stay raw bytes until somebody has a reason to read them.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crds::WorkloadKind;
use crds::contract::{GROUP, VERSION};
use json_patch::Patch;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::decision::{Decision, Outcome, Refusal};

const API_VERSION: &str = "admission.k8s.io/v1";
const KIND: &str = "AdmissionReview";
/// A uid is 36 characters; the answer repeats it, so it may not be just anything.
const UID_BYTES_MAX: usize = 128;

/// A request for admission, borrowed from the bytes that it came in.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request<'a> {
    /// To be repeated in the answer.
    #[serde(borrow)]
    pub uid: Cow<'a, str>,
    /// The kind that the registration asked for.
    #[serde(borrow)]
    pub kind: Kind<'a>,
    /// `scale`, `status`, or nothing.
    #[serde(borrow, default)]
    pub sub_resource: Cow<'a, str>,
    /// Namespace of the object.
    #[serde(borrow, default)]
    pub namespace: Cow<'a, str>,
    /// Name of the object; may be empty on CREATE.
    #[serde(borrow, default)]
    pub name: Cow<'a, str>,
    /// What is done to the object.
    pub operation: Operation,
    /// Who does it.
    #[serde(borrow, default)]
    pub user_info: UserInfo<'a>,
    /// The object as it would be stored.
    #[serde(borrow, default)]
    pub object: Option<&'a RawValue>,
    /// The object as it is.
    #[serde(borrow, default)]
    pub old_object: Option<&'a RawValue>,
    /// Nothing will be stored; the answer is the same.
    #[serde(default)]
    pub dry_run: bool,
}

/// Group, version, kind.
#[derive(Debug, Deserialize)]
pub struct Kind<'a> {
    #[serde(borrow, default)]
    group: Cow<'a, str>,
    #[serde(borrow, default)]
    version: Cow<'a, str>,
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
}

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operation {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is taken away.
    Delete,
    /// CONNECT, or what a later apiserver may know.
    #[serde(other)]
    Other,
}

/// Who asks.
#[derive(Debug, Default, Deserialize)]
pub struct UserInfo<'a> {
    /// As the apiserver authenticated them.
    #[serde(borrow, default)]
    pub username: Cow<'a, str>,
}

/// The kinds that the webhook knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// A workload that a Rollout can name.
    Workload(WorkloadKind),
    /// A route that a Rollout can name.
    Route,
    /// Our own Rollout.
    Rollout,
    /// Anything else: a registration that somebody widened.
    Other,
}

/// Why bytes are no review.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// No JSON, or not of this shape.
    #[error("this is no AdmissionReview")]
    Shape(#[source] serde_json::Error),
    /// Another kind or version.
    #[error("use {KIND} of {API_VERSION}")]
    Version,
    /// A review without a request.
    #[error("the AdmissionReview has no request")]
    NoRequest,
    /// The uid is empty or too long.
    #[error("request.uid must have 1 to {UID_BYTES_MAX} bytes")]
    Uid,
}

impl ReviewError {
    /// A stable word for logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Shape(_) => "shape",
            Self::Version => "version",
            Self::NoRequest => "no_request",
            Self::Uid => "uid",
        }
    }
}

impl<'a> Request<'a> {
    /// Reads the envelope.
    ///
    /// # Errors
    /// What came is no AdmissionReview of v1 with a request.
    pub fn read(bytes: &'a [u8]) -> Result<Self, ReviewError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Review<'a> {
            #[serde(borrow, default)]
            api_version: Cow<'a, str>,
            #[serde(borrow, default)]
            kind: Cow<'a, str>,
            #[serde(borrow, default)]
            request: Option<Request<'a>>,
        }
        let review: Review = serde_json::from_slice(bytes).map_err(ReviewError::Shape)?;
        if review.api_version != API_VERSION || review.kind != KIND {
            return Err(ReviewError::Version);
        }
        let request = review.request.ok_or(ReviewError::NoRequest)?;
        if request.uid.is_empty() || request.uid.len() > UID_BYTES_MAX {
            return Err(ReviewError::Uid);
        }
        Ok(request)
    }

    /// Which of the kinds that we know this is; a subresource is none of them.
    #[must_use]
    pub fn known(&self) -> Known {
        match (&*self.kind.group, &*self.kind.version, &*self.kind.kind) {
            _ if !self.sub_resource.is_empty() => Known::Other,
            (GROUP, VERSION, "Rollout") => Known::Rollout,
            ("gateway.networking.k8s.io", _, "HTTPRoute" | "GRPCRoute")
            | ("networking.k8s.io", _, "Ingress") => Known::Route,
            (group, version, kind) => WorkloadKind::named(&format!("{group}/{version}"), kind)
                .map_or(Known::Other, Known::Workload),
        }
    }

    /// The object as it would be stored, read.
    ///
    /// # Errors
    /// It is absent, or nested deeper than any API object.
    pub fn new_value(&self) -> Result<Value, serde_json::Error> {
        value(self.object)
    }

    /// The object as it is, read.
    ///
    /// # Errors
    /// As for [`Request::new_value`].
    pub fn old_value(&self) -> Result<Value, serde_json::Error> {
        value(self.old_object)
    }
}

fn value(raw: Option<&RawValue>) -> Result<Value, serde_json::Error> {
    raw.map_or_else(|| serde_json::from_str(""), |raw| serde_json::from_str(raw.get()))
}

impl Known {
    /// A stable word for metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Workload(kind) => kind.as_str(),
            Self::Route => "Route",
            Self::Rollout => "Rollout",
            Self::Other => "other",
        }
    }
}

/// Writes the answer to a request: always a whole review with the request's uid.
#[must_use]
pub fn answer(request: &Request<'_>, decision: Decision) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Review<'a> {
        api_version: &'static str,
        kind: &'static str,
        response: Response<'a>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Response<'a> {
        uid: &'a str,
        allowed: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        patch_type: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        patch: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<Value>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<String>,
    }
    let (patch, refusal) = match decision.outcome {
        Outcome::Allow => (None, None),
        Outcome::Patch(patch) => (Some(patch), None),
        Outcome::Refuse(refusal) => (None, Some(refusal)),
    };
    let patch = patch.as_ref().map(encode);
    let response = Response {
        uid: &request.uid,
        allowed: refusal.is_none(),
        patch_type: patch.is_some().then_some("JSONPatch"),
        patch,
        status: refusal.as_ref().map(Refusal::to_status),
        warnings: decision.warnings.iter().map(|text| crate::text::warning(text)).collect(),
    };
    // Strings and values only: serialisation has no way to fail.
    let review = Review { api_version: API_VERSION, kind: KIND, response };
    serde_json::to_vec(&review).unwrap_or_default()
}

fn encode(patch: &Patch) -> String {
    STANDARD.encode(serde_json::to_vec(patch).unwrap_or_default())
}
