//! Plays a story and prints what happened: `cargo run -p plan --features sim --example story --
//! FILE [SEED]`, or `-- SEED` for a random one. The simulator's tests print stories that fail in
//! the form that this reads.

use std::process::ExitCode;

use plan::sim::{Options, Script};

#[allow(clippy::print_stdout, reason = "printing is what it is for")]
fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("which FILE, or which SEED?")?;
    let (script, seed) = match file.parse() {
        Ok(seed) => (Script::random(seed), seed),
        Err(_) => {
            let seed = arguments.next().map_or(Ok(1), |seed| seed.parse())?;
            (std::fs::read_to_string(file)?.parse()?, seed)
        }
    };
    let options = Options { seed, planner: Some(plan::plan), record: true, ..Options::default() };
    let outcome = script.play(&options);
    println!("{script}---");
    for entry in &outcome.timeline {
        println!("{entry}");
    }
    match outcome.violation {
        None => Ok(ExitCode::SUCCESS),
        Some(violation) => {
            println!("{violation}");
            Ok(ExitCode::FAILURE)
        }
    }
}
