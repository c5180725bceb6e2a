//! What other parts take from this crate as a file.

use std::fs;
use std::path::Path;

/// `UPDATE_EXPECT=1 cargo test -p crds` writes it.
#[test]
fn the_installed_crd_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/crds.yaml");
    let crd = serde_saphyr::to_string(&crds::crd::rollouts()).unwrap();
    let generated = format!("{}{crd}", crds::crd::HEADER);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let installed = fs::read_to_string(&path).unwrap();
    assert!(installed == generated, "manifests/crds.yaml is not current: {}", crds::crd::HEADER);
}
