//! Prints manifests/crds.yaml: `cargo run -p crds --example crdgen`.

use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let crd = serde_saphyr::to_string(&crds::crd::rollouts())?;
    write!(std::io::stdout(), "{}{crd}", crds::crd::HEADER)?;
    Ok(())
}
