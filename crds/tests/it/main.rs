//! What other parts take from this crate as a file.

use std::fs;
use std::path::Path;

/// `UPDATE_EXPECT=1 cargo test -p crds` writes it.
#[test]
fn the_installed_crds_are_the_generated_ones() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/crds.yaml");
    let all = crds::crd::all().map(|crd| serde_saphyr::to_string(&crd).unwrap());
    let generated = format!("{}{}", crds::crd::HEADER, all.join("---\n"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let installed = fs::read_to_string(&path).unwrap();
    assert!(installed == generated, "manifests/crds.yaml is not current: {}", crds::crd::HEADER);
}
