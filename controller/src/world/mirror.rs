//! What a watch has shown of one kind of object, and what our own writes have shown before the
//! watch did. Pure: events in, changes out.

use std::collections::{HashMap, HashSet};

use crate::key::Key;
use crate::raw::{Raw, Version};

/// A mirrored object.
#[derive(Clone, Debug)]
pub struct Entry<T> {
    /// metadata.uid.
    pub uid: String,
    /// metadata.resourceVersion, for comparisons.
    pub version: Version,
    /// metadata.resourceVersion, for preconditions.
    pub resource_version: String,
    /// What was read of it.
    pub value: T,
}

impl<T> Entry<T> {
    /// What `value` was read from.
    pub fn new(raw: &Raw, value: T) -> Self {
        Self {
            uid: raw.uid().to_owned(),
            version: raw.version(),
            resource_version: raw.resource_version().to_owned(),
            value,
        }
    }
}

/// The objects of one watch.
///
/// An object never goes back in time: an event older than what is held (an own write came first)
/// changes nothing, so that a late watch never makes a plan repeat what was done.
#[derive(Debug)]
pub struct Mirror<T> {
    entries: HashMap<Key, Entry<T>>,
    synced: bool,
    listed: Option<Listed>,
    /// uids that we deleted and the watch may still show.
    deleted: HashSet<String>,
}

/// What a list has shown so far.
#[derive(Debug, Default)]
struct Listed {
    keys: HashSet<Key>,
    /// uids that we deleted: the list is from before.
    deleted: HashSet<String>,
}

impl<T> Default for Mirror<T> {
    fn default() -> Self {
        Self { entries: HashMap::new(), synced: false, listed: None, deleted: HashSet::new() }
    }
}

impl<T: PartialEq> Mirror<T> {
    /// The first list was complete.
    pub fn is_synced(&self) -> bool {
        self.synced
    }

    /// An object.
    pub fn get(&self, key: &Key) -> Option<&Entry<T>> {
        self.entries.get(key)
    }

    /// All objects.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Entry<T>)> {
        self.entries.iter()
    }

    /// An object appeared or changed; true if it is now other than it was.
    pub fn put(&mut self, key: &Key, entry: Entry<T>) -> bool {
        let deleted = self.deleted.contains(&entry.uid);
        if let Some(listed) = &mut self.listed {
            listed.keys.insert(key.clone());
            listed.deleted.extend(deleted.then(|| entry.uid.clone()));
        }
        if deleted {
            return false;
        }
        let Some(held) = self.entries.get_mut(key) else {
            self.entries.insert(key.clone(), entry);
            return true;
        };
        if entry.version.is_before(held.version) {
            return false;
        }
        let changed = held.uid != entry.uid || held.value != entry.value;
        *held = entry;
        changed
    }

    /// An object went (or left the watch's selection) at `version`; true if it was held.
    pub fn remove(&mut self, key: &Key, uid: &str, version: Version) -> bool {
        self.deleted.remove(uid);
        let newer = |entry: &Entry<T>| version.is_before(entry.version);
        if self.entries.get(key).is_none_or(newer) {
            return false;
        }
        self.entries.remove(key).is_some()
    }

    /// We deleted an object, and the watch may not know yet.
    pub fn remove_own(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.deleted.insert(entry.uid);
        }
    }

    /// A list begins: what it does not show is gone.
    pub fn list_begins(&mut self) {
        self.listed = Some(Listed::default());
    }

    /// A list is complete; returns what it did not show.
    pub fn list_ends(&mut self) -> Vec<Key> {
        self.synced = true;
        let Some(listed) = self.listed.take() else { return Vec::new() };
        self.deleted = listed.deleted;
        let gone: Vec<Key> =
            self.entries.keys().filter(|key| !listed.keys.contains(key)).cloned().collect();
        for key in &gone {
            self.entries.remove(key);
        }
        gone
    }
}

#[cfg(test)]
mod tests;
