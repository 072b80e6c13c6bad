//! The commands whose output people pipe into `head` end well when it stops reading.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

/// The folder of a system that was up and is not any more, and of which `orders` has logged.
fn system(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("souk-pipes-{name}-{}", std::process::id()));
    fs::create_dir_all(folder.join("logs")).unwrap();
    fs::write(folder.join("state.json"), r#"{"ports": {"gateway": 1}}"#).unwrap();
    fs::write(folder.join("logs/orders.log"), "a line\n".repeat(100_000)).unwrap();
    folder
}

/// Runs a command whose readers of both outputs are gone.
#[track_caller]
fn run_without_readers(name: &str, arguments: &[&str]) -> Option<i32> {
    let folder = system(name);
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    let status = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("--state")
        .arg(&folder)
        .args(arguments)
        .stdout(closed())
        .stderr(closed())
        .status()
        .unwrap();
    fs::remove_dir_all(&folder).unwrap();
    status.code()
}

#[test]
fn status_ends_well() {
    assert_eq!(run_without_readers("status", &["status"]), Some(0));
}

#[test]
fn status_for_programs_ends_well() {
    assert_eq!(run_without_readers("json", &["status", "--json"]), Some(0));
}

#[test]
fn logs_end_well() {
    assert_eq!(run_without_readers("logs", &["logs", "orders"]), Some(0));
}

#[test]
fn notes_that_nobody_reads_stop_no_command() {
    assert_eq!(run_without_readers("down", &["down"]), Some(0));
}

#[test]
fn a_failure_that_nobody_reads_is_still_one() {
    assert_eq!(run_without_readers("failure", &["logs", "nonsense"]), Some(1));
}
