//! A patch in the making: the operations so far, and the object as they leave it. Owns the form of
//! the operations (parents that are missing, escaping, nothing superfluous), not their reasons.

use std::borrow::Cow;

use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, Patch, PatchOperation, RemoveOperation, ReplaceOperation};
use serde_json::{Map, Value};

pub(super) struct Draft<'a> {
    object: Cow<'a, Value>,
    operations: Vec<PatchOperation>,
}

impl<'a> Draft<'a> {
    pub(super) fn of(object: &'a Value) -> Self {
        Self { object: Cow::Borrowed(object), operations: Vec::new() }
    }

    pub(super) fn into_patch(self) -> Patch {
        Patch(self.operations)
    }

    /// Makes the value at `path` this one, or absent.
    pub(super) fn put(&mut self, path: &[&str], value: Option<Value>) {
        match value {
            Some(value) => self.set(path, value),
            None => self.remove(path),
        }
    }

    pub(super) fn set(&mut self, path: &[&str], value: Value) {
        let present = match self.at(path) {
            Some(present) if *present == value => return,
            present => present.is_some(),
        };
        if present {
            self.write(path, value.clone());
            let path = pointer(path);
            self.operations.push(PatchOperation::Replace(ReplaceOperation { path, value }));
            return;
        }
        // The nearest parent that can take a key gets all that is missing in one operation.
        let parents =
            (1..path.len()).take_while(|end| self.at(&path[..*end]).is_some_and(Value::is_object));
        let (path, missing) = path.split_at(parents.count() + 1);
        let value = missing
            .iter()
            .rev()
            .fold(value, |inner, key| Value::Object(Map::from_iter([((*key).to_owned(), inner)])));
        self.write(path, value.clone());
        let path = pointer(path);
        self.operations.push(PatchOperation::Add(AddOperation { path, value }));
    }

    pub(super) fn remove(&mut self, path: &[&str]) {
        let Some((key, parents)) = path.split_last() else { return };
        if self.at(path).is_none() {
            return;
        }
        if let Some(Value::Object(map)) = self.parent(parents) {
            map.remove(*key);
        }
        let path = pointer(path);
        self.operations.push(PatchOperation::Remove(RemoveOperation { path }));
    }

    fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(self.object.as_ref(), |value, key| value.as_object()?.get(*key))
    }

    fn parent(&mut self, path: &[&str]) -> Option<&mut Value> {
        path.iter()
            .try_fold(self.object.to_mut(), |value, key| value.as_object_mut()?.get_mut(*key))
    }

    fn write(&mut self, path: &[&str], value: Value) {
        let Some((key, parents)) = path.split_last() else { return };
        if let Some(Value::Object(map)) = self.parent(parents) {
            map.insert((*key).to_owned(), value);
        }
    }
}

fn pointer(path: &[&str]) -> PointerBuf {
    PointerBuf::from_tokens(path.iter().copied())
}
