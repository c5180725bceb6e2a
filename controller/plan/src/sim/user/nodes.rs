//! Nodes that come and go. Owns which ones; what follows for a DaemonSet is its controller's.

use std::rc::Rc;

use crds::Revision;

use super::{Said, manifest};
use crate::sim::world::World;
use crate::sim::world::deliver::UNNOTICED;
use crate::sim::world::queue::Event;

impl World {
    /// There are so many nodes from now on: new ones come, or the youngest go.
    pub fn user_nodes(&mut self, count: usize) -> Said {
        while self.cluster.nodes.iter().count() < count {
            self.nodes += 1;
            let name = format!("node-{:03}", self.nodes).into();
            self.cluster.put_node(&name, false);
            self.settle_write();
        }
        let names: Vec<_> = self.cluster.nodes.iter().map(|it| Rc::clone(&it.meta.name)).collect();
        names.iter().skip(count).for_each(|name| self.lose(name));
        Ok(format!("{count} nodes"))
    }

    /// So many nodes with a pod of a version go, or any nodes at all.
    pub fn user_lose(&mut self, version: &str, count: usize) -> Said {
        let nodes = self.nodes_with(version, count);
        nodes.iter().for_each(|name| self.lose(name));
        Ok(format!("lost {}", nodes.len()))
    }

    /// So many nodes with a pod of a version take no more pods.
    pub fn user_close(&mut self, version: &str, count: usize) -> Said {
        let nodes = self.nodes_with(version, count);
        for name in &nodes {
            self.cluster.put_node(name, true);
            self.settle_write();
        }
        Ok(format!("closed {}", nodes.len()))
    }

    /// All nodes take pods again.
    pub fn open_nodes(&mut self) {
        let closed = self.cluster.nodes.iter().filter(|node| node.closed);
        let closed: Vec<_> = closed.map(|node| Rc::clone(&node.meta.name)).collect();
        for name in &closed {
            self.cluster.put_node(name, false);
            self.settle_write();
        }
    }

    fn lose(&mut self, name: &Rc<str>) {
        self.cluster.remove_node(name);
        self.settle_write();
        self.schedule(UNNOTICED, Event::Orphans(Rc::clone(name)));
    }

    fn nodes_with(&self, version: &str, count: usize) -> Vec<Rc<str>> {
        let revision = Revision::of_template(&manifest::template(version));
        let nodes = self.cluster.nodes.iter().filter(|node| !node.closed);
        let has = |name: &Rc<str>| {
            let mut pods = self.cluster.pods.iter().filter(|pod| pod.is_active());
            pods.any(|pod| pod.node.as_ref() == Some(name) && pod.revision == revision)
        };
        let nodes = nodes.map(|node| Rc::clone(&node.meta.name));
        nodes.filter(|name| version == "any" || has(name)).take(count).collect()
    }
}
