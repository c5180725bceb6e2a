//! Mechanical rules of the whole repository, so that no reviewer has to count. Reads files only.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "it is a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES: usize = 700;
const FUNCTION_LINES: usize = 70;
const COLUMNS: usize = 100;

/// Folders that hold nothing of ours.
const SKIPPED: [&str; 3] = ["target", ".git", ".sluice"];

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap().to_owned()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_symlink() || SKIPPED.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn all_files() -> Vec<(String, String)> {
    let (root, mut found) = (root(), Vec::new());
    files(&root, &mut found);
    let name = |path: &Path| path.strip_prefix(&root).unwrap().display().to_string();
    let text = |path: PathBuf| Some((name(&path), fs::read_to_string(&path).ok()?));
    found.into_iter().filter_map(text).collect()
}

fn rust_files() -> Vec<(String, String)> {
    all_files().into_iter().filter(|(name, _)| name.ends_with(".rs")).collect()
}

#[track_caller]
fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

/// Folders of the workspace's crates.
fn members() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let list = manifest.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn manifest(member: &str) -> String {
    fs::read_to_string(root().join(member).join("Cargo.toml")).unwrap()
}

/// The lines that name a dependency, of every kind.
fn dependencies(manifest: &str) -> Vec<&str> {
    let mut within = false;
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            within = line.trim_end_matches(']').ends_with("dependencies");
        } else if within && !line.is_empty() && !line.starts_with('#') {
            found.push(line);
        }
    }
    found
}

fn named(dependency: &str) -> &str {
    dependency.split(['.', '=', ' ']).next().unwrap()
}

#[test]
fn every_rust_file_says_what_it_owns() {
    let bare = |(name, text): (String, String)| (!text.starts_with("//!")).then_some(name);
    none(
        "files that do not open with //!",
        &rust_files().into_iter().filter_map(bare).collect::<Vec<_>>(),
    );
}

#[test]
fn no_rust_file_is_too_long_or_too_wide() {
    let mut found = Vec::new();
    for (name, text) in rust_files() {
        let lines = text.lines().count();
        if lines > FILE_LINES {
            found.push(format!("{name}: {lines} lines"));
        }
        let wide = text.lines().enumerate().filter(|(_, line)| line.chars().count() > COLUMNS);
        found.extend(wide.map(|(number, _)| format!("{name}:{}", number + 1)));
    }
    none("more than 700 lines or 100 columns", &found);
}

#[test]
fn no_function_is_too_long() {
    let mut found = Vec::new();
    for (name, text) in rust_files() {
        let long = functions(&text).into_iter().filter(|(_, lines)| *lines > FUNCTION_LINES);
        found.extend(long.map(|(line, lines)| format!("{name}:{line}: {lines} lines")));
    }
    none("functions of more than 70 lines", &found);
}

/// First line and length of every function of a formatted file: it ends with the first brace in
/// the column in which it begins.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let is_function = |line: &str| {
        let mut words = line.split_whitespace();
        words.find(|word| {
            let prefix = ["pub", "async", "const"].iter().any(|known| word.starts_with(known));
            !prefix
        }) == Some("fn")
    };
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate().filter(|(_, line)| is_function(line)) {
        let indent: String = line.chars().take_while(|c| *c == ' ').collect();
        let (end, semicolon) = (format!("{indent}}}"), line.trim_end().ends_with([';', '}']));
        let rest = lines[number..].iter().position(|line| *line == end);
        if let (false, Some(length)) = (semicolon, rest) {
            found.push((number + 1, length + 1));
        }
    }
    found
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not find itself.
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"]].map(|[a, b]| format!("{a}{b}"));
    let mut found = Vec::new();
    for (name, text) in all_files() {
        for (number, line) in text.lines().enumerate() {
            let words = line.split(|c: char| !c.is_alphanumeric());
            if words.into_iter().any(|word| marks.iter().any(|mark| mark == word)) {
                found.push(format!("{name}:{}", number + 1));
            }
        }
    }
    none("marks of unfinished work", &found);
}

#[test]
fn no_path_of_somebodys_machine_is_named() {
    let prefixes = [["/ho", "me/"], ["/ro", "ot/"], ["/Us", "ers/"], ["/wo", "rk/"]];
    let prefixes = prefixes.map(|[a, b]| format!("{a}{b}"));
    let mut found = Vec::new();
    for (name, text) in all_files() {
        for (number, line) in text.lines().enumerate() {
            let absolute = |prefix: &String| {
                line.match_indices(prefix.as_str()).any(|(at, _)| {
                    // Within a longer path it is only a folder of that name.
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_-.}$*\"'".contains(c))
                        || line[..at].ends_with(['"', '\''])
                })
            };
            if prefixes.iter().any(absolute) {
                found.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("absolute paths", &found);
}

#[test]
fn every_crate_takes_lints_and_dependencies_from_the_workspace() {
    let mut found = Vec::new();
    for member in members() {
        let manifest = manifest(&member);
        if !manifest.contains("[lints]\nworkspace = true") {
            found.push(format!("{member}: no [lints] workspace = true"));
        }
        let own = dependencies(&manifest);
        let own = own.into_iter().filter(|line| !line.contains("workspace = true"));
        found.extend(own.map(|line| format!("{member}: {line}")));
    }
    none("not of the workspace", &found);
}

#[test]
fn the_pure_crates_have_no_io() {
    let mut found = Vec::new();
    for member in ["crds", "controller/plan", "controller/gate"] {
        for line in dependencies(&manifest(member)) {
            let io = ["tokio", "tokio-util", "hyper", "hyper-util", "tokio-rustls", "rustls"];
            let client =
                named(line) == "kube" && ["client", "runtime"].iter().any(|f| line.contains(f));
            if client || io.contains(&named(line)) {
                found.push(format!("{member}: {line}"));
            }
        }
    }
    none("IO in a pure crate", &found);
}

#[test]
fn crates_know_only_whom_they_may_know() {
    let allowed: [(&str, &[&str]); 9] = [
        ("crds", &["gate"]),
        ("controller/gate", &[]),
        ("controller/plan", &["crds", "gate"]),
        ("controller/runtime", &[]),
        ("certs", &["crds", "runtime"]),
        ("webhook", &["crds", "certs", "runtime"]),
        ("controller", &["crds", "certs", "gate", "plan", "runtime"]),
        ("cli", &["crds", "gate", "plan", "runtime"]),
        // The simulator's models, to compare them with the real controllers.
        ("e2e", &["crds", "plan"]),
    ];
    let last = |member: &str| member.rsplit('/').next().unwrap().to_owned();
    let ours: BTreeSet<String> = members().iter().map(|member| last(member)).collect();
    let mut found = Vec::new();
    for member in members() {
        let Some((_, known)) = allowed.iter().find(|(name, _)| *name == member) else {
            found.push(format!("{member}: say here whom it may know"));
            continue;
        };
        let manifest = manifest(&member);
        let names = dependencies(&manifest).into_iter().map(named);
        let own = last(&member);
        let wrong =
            names.filter(|name| ours.contains(*name) && !known.contains(name) && *name != own);
        found.extend(wrong.map(|name| format!("{member} knows {name}")));
    }
    none("a crate knows too much", &found);
}

#[test]
fn the_code_map_has_every_crate() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let missing = |member: &String| !readme.contains(&format!("`{member}/`"));
    none("not in README's code map", &members().into_iter().filter(missing).collect::<Vec<_>>());
}

#[test]
fn these_rules_can_fail() {
    let text = format!("fn long() {{\n{}}}\nfn short() {{}}\n", "    call();\n".repeat(80));
    assert_eq!(functions(&text), [(1, 82)]);
    let manifest = "[package]\nname = \"x\"\n[dev-dependencies]\nserde = \"1\"\n[lints]\n";
    assert_eq!(dependencies(manifest), ["serde = \"1\""]);
    assert_eq!(named("kube = { workspace = true }"), "kube");
    assert_eq!(named("serde.workspace = true"), "serde");
}
