//! Recorded reviews with golden answers: `NAME.json` is a review as a real apiserver sent it
//! (`record.sh` says how), `NAME.patch.json` the answer to it. `UPDATE_FIXTURES=1` writes the
//! answers anew; read the difference before committing it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use webhook::service::Route;

use crate::reviews::{NoRivals, patch_of, respond, service};

fn recorded() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let is_review = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.ends_with(".json") && !name.ends_with(".patch.json")
    };
    let mut paths: Vec<_> = entries.filter(is_review).collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn each_recorded_review_has_its_golden_answer() {
    let service = service(NoRivals);
    let recorded = recorded();
    assert!(recorded.len() >= 15, "only {} fixtures", recorded.len());
    for path in recorded {
        let response = respond(&service, Route::Mutate, &read(&path)).await;
        let answer = json!({
            "allowed": response["allowed"],
            "patch": patch_of(&response),
            "warnings": response.get("warnings"),
        });
        let golden = path.with_extension("patch.json");
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            fs::write(&golden, serde_json::to_string_pretty(&answer).unwrap() + "\n").unwrap();
        }
        assert_eq!(answer, read(&golden), "{path:?}");
    }
}

#[tokio::test]
async fn each_patched_object_is_at_rest() {
    let service = service(NoRivals);
    for path in recorded() {
        let mut review = read(&path);
        let response = respond(&service, Route::Mutate, &review).await;
        let Some(patch) = patch_of(&response) else { continue };
        // Reinvocation: the apiserver asks again with the patched object.
        json_patch::patch(&mut review["request"]["object"], &patch).unwrap();
        let again = respond(&service, Route::Mutate, &review).await;
        assert_eq!(patch_of(&again), None, "{path:?}");
    }
}
