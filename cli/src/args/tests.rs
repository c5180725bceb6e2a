//! The command line is sound, and its reference page is current.

use std::fmt::Write;
use std::path::Path;

use clap::{Command, CommandFactory};

use super::Args;

#[test]
fn the_command_line_is_sound() {
    Args::command().debug_assert();
}

#[test]
fn the_reference_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("REFERENCE.md");
    let expected = reference();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "write it again with: UPDATE_EXPECT=1 cargo test -p cli");
}

fn reference() -> String {
    let mut root = Args::command().term_width(100);
    root.build();
    let mut page = "# kubectl sluice\n\nMade from the program's own help.\n".to_owned();
    section(&mut page, &mut root.clone(), "kubectl sluice");
    for command in root.get_subcommands_mut().filter(|command| command.get_name() != "help") {
        let name = format!("kubectl sluice {}", command.get_name());
        section(&mut page, command, &name);
    }
    page
}

fn section(page: &mut String, command: &mut Command, name: &str) {
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    write!(page, "\n## {name}\n\n```text\n{}\n```\n", help.join("\n").trim_end()).unwrap();
}
