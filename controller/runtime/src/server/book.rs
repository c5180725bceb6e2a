//! The open connections of a server. Owns the choice of the one that has to make room.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::life::Life;

/// Who is in. Connections that are gone fall out by themselves.
#[derive(Debug, Default)]
pub(super) struct Book(Mutex<Vec<Weak<Life>>>);

impl Book {
    /// Enters a new connection.
    pub(super) fn enter(&self) -> Arc<Life> {
        let life = Arc::new(Life::new());
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == entries.capacity() {
            entries.retain(|entry| entry.strong_count() > 0);
        }
        entries.push(Arc::downgrade(&life));
        life
    }

    /// Closes the connection that has been idle longest, so that nobody can shut others out by
    /// holding connections. If all are busy nobody is closed: their requests have deadlines.
    pub(super) fn evict_longest_idle(&self) {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lives = entries.iter().filter_map(Weak::upgrade);
        let longest = lives.filter_map(|life| Some((life.idle_since()?, life)));
        if let Some((_, life)) = longest.min_by_key(|(since, _)| *since) {
            life.evict();
        }
    }
}
