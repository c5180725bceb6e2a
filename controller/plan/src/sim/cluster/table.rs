//! Objects of one kind with the history of their changes, and the trailing view that a client has
//! of them. Owns nothing of what objects mean.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::objects::Meta;

/// Anything that a table keeps.
pub trait Object {
    /// Its metadata.
    fn meta(&self) -> &Meta;
}

/// All objects of a kind by name, and every change in order.
#[derive(Debug)]
pub struct Table<T> {
    items: BTreeMap<Rc<str>, Rc<T>>,
    log: Vec<Change<T>>,
}

/// An object as a write left it.
#[derive(Debug)]
pub struct Change<T> {
    /// Its name.
    pub name: Rc<str>,
    /// resourceVersion of the change.
    pub version: u64,
    /// The object; None when it was removed.
    pub object: Option<Rc<T>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { items: BTreeMap::new(), log: Vec::new() }
    }
}

impl<T: Object> Table<T> {
    /// The object of that name, as it is now.
    pub fn get(&self, name: &str) -> Option<&Rc<T>> {
        self.items.get(name)
    }

    /// All objects, as they are now.
    pub fn iter(&self) -> impl Iterator<Item = &Rc<T>> {
        self.items.values()
    }

    /// Number of changes so far.
    pub fn changes(&self) -> usize {
        self.log.len()
    }

    /// The change with that number.
    pub fn change(&self, number: usize) -> Option<&Change<T>> {
        self.log.get(number)
    }

    /// Stores an object.
    pub fn put(&mut self, name: &Rc<str>, object: T) -> Rc<T> {
        let object = Rc::new(object);
        self.items.insert(Rc::clone(name), Rc::clone(&object));
        let change = Some(Rc::clone(&object));
        let version = object.meta().version;
        self.log.push(Change { name: Rc::clone(name), version, object: change });
        object
    }

    /// Removes an object; false when there is none.
    pub fn remove(&mut self, name: &str, version: u64) -> bool {
        let Some((name, _)) = self.items.remove_entry(name) else { return false };
        self.log.push(Change { name, version, object: None });
        true
    }
}

/// What a client knows of a table: its state after the first `seen` changes, and what its own
/// writes returned. An object never goes back in time.
#[derive(Debug)]
pub struct View<T> {
    items: BTreeMap<Rc<str>, Rc<T>>,
    seen: usize,
    /// uids that this client deleted and the watch may still show.
    deleted: BTreeSet<Rc<str>>,
}

/// What a view learned of one object.
#[derive(Debug)]
pub struct News<T> {
    /// Its name.
    pub name: Rc<str>,
    /// As the view had it.
    pub before: Option<Rc<T>>,
    /// As the view has it now.
    pub after: Option<Rc<T>>,
}

impl<T> Default for View<T> {
    fn default() -> Self {
        Self { items: BTreeMap::new(), seen: 0, deleted: BTreeSet::new() }
    }
}

impl<T: Object> View<T> {
    /// The object of that name, as last seen.
    pub fn get(&self, name: &str) -> Option<&Rc<T>> {
        self.items.get(name)
    }

    /// All objects, as last seen.
    pub fn iter(&self) -> impl Iterator<Item = &Rc<T>> {
        self.items.values()
    }

    /// It shows so many changes, from the first on.
    pub fn seen(&self) -> usize {
        self.seen
    }

    /// It shows the first `count` changes.
    pub fn has_seen(&self, count: usize) -> bool {
        self.seen >= count
    }

    /// Reads on to change number `upto`, and says what is new, one entry a change.
    pub fn catch_up(&mut self, table: &Table<T>, upto: usize) -> Vec<News<T>> {
        let mut news = Vec::new();
        while self.seen < upto.min(table.changes()) {
            let Some(change) = table.change(self.seen) else { break };
            self.seen += 1;
            news.extend(self.take(change));
        }
        news
    }

    fn take(&mut self, change: &Change<T>) -> Option<News<T>> {
        let Change { name, version, object } = change;
        let held = self.items.get(name).map(|held| held.meta().version);
        if held.is_some_and(|held| held >= *version) {
            return None;
        }
        let before = match object {
            Some(object) if self.deleted.contains(&object.meta().uid) => return None,
            Some(object) => self.items.insert(Rc::clone(name), Rc::clone(object)),
            None => self.items.remove(name),
        };
        Some(News { name: Rc::clone(name), before, after: object.clone() })
    }

    /// What a write of this client returned.
    pub fn wrote(&mut self, object: &Rc<T>) {
        self.items.insert(Rc::clone(&object.meta().name), Rc::clone(object));
    }

    /// This client deleted an object.
    pub fn dropped(&mut self, name: &str) {
        if let Some(object) = self.items.remove(name) {
            self.deleted.insert(Rc::clone(&object.meta().uid));
        }
    }

    /// Forgets everything and lists the table as it is now, as a client does that starts anew.
    pub fn list(&mut self, table: &Table<T>) {
        self.items.clone_from(&table.items);
        self.seen = table.changes();
        self.deleted.clear();
    }
}
