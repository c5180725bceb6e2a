//! Holds a pod's namespaces open. It is the first process of the pod's sandbox and does nothing;
//! containerd ends it with SIGKILL.
fn main() {
    loop {
        std::thread::park();
    }
}
