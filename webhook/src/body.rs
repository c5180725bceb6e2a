//! Reads a request's body within its bounds: size, time, and what all bodies together may hold.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

/// The apiserver takes objects up to 3 MiB, and a review carries the old one and the new one.
pub const BODY_BYTES_MAX: usize = 7 * 1024 * 1024;
/// All bodies together. Reviews are some 10 KiB: this is room for thousands of them, or for a few
/// of the largest, and a bound for whoever sends large ones on purpose.
const BUFFERED_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The apiserver gives up after 2 s; a body that takes longer is nobody's any more.
const READ_TIMEOUT: Duration = Duration::from_secs(2);
/// Room that is made before the first byte, on the word of a content-length.
const TRUSTED_BYTES_MAX: usize = 64 * 1024;

/// What all bodies hold now.
#[derive(Debug, Default)]
pub struct Buffered(AtomicUsize);

/// A body that was read, and its share of [`Buffered`].
#[derive(Debug)]
pub struct Read<'a> {
    /// The bytes.
    pub bytes: Bytes,
    _share: Share<'a>,
}

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is too large.
    #[error("the body has more than {BODY_BYTES_MAX} bytes")]
    TooLarge,
    /// All bodies together are too large.
    #[error("too many bytes are being read at once")]
    Full,
    /// It takes too long.
    #[error("the body was not sent within {} s", READ_TIMEOUT.as_secs())]
    TooSlow,
    /// The connection broke.
    #[error("the body broke off")]
    Broken(#[source] hyper::Error),
}

impl BodyError {
    /// A stable word for logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::TooLarge => "body_too_large",
            Self::Full => "body_no_room",
            Self::TooSlow => "body_too_slow",
            Self::Broken(_) => "body_broken",
        }
    }

    /// The answer's status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Full => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken(_) => StatusCode::BAD_REQUEST,
        }
    }
}

impl Buffered {
    /// Reads a body.
    ///
    /// # Errors
    /// It is out of bounds, or broke off.
    pub async fn read(&self, request: Request<Incoming>) -> Result<Read<'_>, BodyError> {
        let announced = announced(&request);
        if announced > BODY_BYTES_MAX {
            return Err(BodyError::TooLarge);
        }
        let reading = self.collect(request.into_body(), announced);
        tokio::time::timeout(READ_TIMEOUT, reading).await.unwrap_or(Err(BodyError::TooSlow))
    }

    async fn collect(&self, mut body: Incoming, announced: usize) -> Result<Read<'_>, BodyError> {
        let mut share = Share { of: self, bytes: 0 };
        let Some(first) = next(&mut body, &mut share).await? else {
            return Ok(Read { bytes: Bytes::new(), _share: share });
        };
        if body.is_end_stream() {
            return Ok(Read { bytes: first, _share: share });
        }
        let mut bytes = BytesMut::with_capacity(announced.min(TRUSTED_BYTES_MAX).max(first.len()));
        bytes.extend_from_slice(&first);
        drop(first);
        while let Some(data) = next(&mut body, &mut share).await? {
            bytes.extend_from_slice(&data);
        }
        Ok(Read { bytes: bytes.freeze(), _share: share })
    }
}

fn announced(request: &Request<Incoming>) -> usize {
    // A body without a length, or with a false one, is counted as it comes.
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The next piece of data; trailers are passed over.
async fn next(body: &mut Incoming, share: &mut Share<'_>) -> Result<Option<Bytes>, BodyError> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(BodyError::Broken)?.into_data() {
            share.grow(data.len())?;
            return Ok(Some(data));
        }
    }
    Ok(None)
}

#[derive(Debug)]
struct Share<'a> {
    of: &'a Buffered,
    bytes: usize,
}

impl Share<'_> {
    fn grow(&mut self, bytes: usize) -> Result<(), BodyError> {
        self.bytes += bytes;
        let all = self.of.0.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if self.bytes > BODY_BYTES_MAX {
            Err(BodyError::TooLarge)
        } else if all > BUFFERED_BYTES_MAX {
            Err(BodyError::Full)
        } else {
            Ok(())
        }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.of.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_share_a_bound_and_give_their_share_back() {
        let buffered = Buffered::default();
        let largest = BUFFERED_BYTES_MAX / BODY_BYTES_MAX;
        let mut shares: Vec<_> = (0..=largest).map(|_| Share { of: &buffered, bytes: 0 }).collect();
        let last = shares.pop();
        for share in &mut shares {
            assert!(share.grow(BODY_BYTES_MAX).is_ok());
        }
        let mut last = last.unwrap();
        assert_eq!(last.grow(BODY_BYTES_MAX).unwrap_err().kind(), "body_no_room");
        drop((last, shares));
        let mut alone = Share { of: &buffered, bytes: 0 };
        assert!(alone.grow(BODY_BYTES_MAX).is_ok());
        assert_eq!(alone.grow(1).unwrap_err().kind(), "body_too_large");
        drop(alone);
        assert_eq!(buffered.0.load(Ordering::Relaxed), 0);
    }
}
