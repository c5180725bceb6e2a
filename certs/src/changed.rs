//! Waits until a single object is another one than it was. Reads no content.

use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use kube::Resource;
use kube::api::{Api, PartialObjectMeta, WatchEvent, WatchParams};
use serde::de::DeserializeOwned;

/// The wait where a watch cannot be had: so it becomes a poll.
const WITHOUT_WATCH: Duration = Duration::from_secs(10);

/// Completes when the object may differ from its `version` (`None`: when it may be there).
/// Completes without cause now and then, as watches end; the caller reads the object again.
pub(crate) async fn changed<K>(api: &Api<K>, name: &str, version: Option<&str>)
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let selected = WatchParams::default().fields(&format!("metadata.name={name}"));
    // "0" brings what is there already, from the apiserver's own cache.
    let stream = match api.watch_metadata(&selected, version.unwrap_or("0")).await {
        Ok(stream) => stream,
        Err(error) => {
            tracing::debug!(name, error = %runtime::chain(&error), "watch");
            return tokio::time::sleep(runtime::retry::jittered(WITHOUT_WATCH)).await;
        }
    };
    let mut stream = pin!(stream);
    loop {
        match stream.next().await {
            Some(Ok(WatchEvent::Bookmark(_))) => {}
            Some(Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)))
                if is_at(&object, version) => {}
            Some(Ok(WatchEvent::Added(_) | WatchEvent::Modified(_) | WatchEvent::Deleted(_))) => {
                return;
            }
            // The server's own end of a watch, after some minutes.
            None => return,
            Some(Ok(WatchEvent::Error(_)) | Err(_)) => {
                return tokio::time::sleep(runtime::retry::jittered(WITHOUT_WATCH)).await;
            }
        }
    }
}

fn is_at<K: Resource>(object: &PartialObjectMeta<K>, version: Option<&str>) -> bool {
    version.is_some() && object.metadata.resource_version.as_deref() == version
}
