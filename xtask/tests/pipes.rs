//! Commands end normally when the reader of their output closes the pipe, as `head` does.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

/// Creates the folder of a stopped system with a log of `orders`.
fn system(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("souk-pipes-{name}-{}", std::process::id()));
    fs::create_dir_all(folder.join("logs")).unwrap();
    fs::write(folder.join("state.json"), r#"{"ports": {"gateway": 1}}"#).unwrap();
    fs::write(folder.join("logs/orders.log"), "a line\n".repeat(100_000)).unwrap();
    folder
}

/// Runs a command whose stdout and stderr are closed pipes, and returns its exit code.
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
fn status_ignores_a_closed_pipe() {
    assert_eq!(run_without_readers("status", &["status"]), Some(0));
}

#[test]
fn status_as_json_ignores_a_closed_pipe() {
    assert_eq!(run_without_readers("json", &["status", "--json"]), Some(0));
}

#[test]
fn logs_ignore_a_closed_pipe() {
    assert_eq!(run_without_readers("logs", &["logs", "orders"]), Some(0));
}

#[test]
fn notes_to_a_closed_pipe_do_not_stop_a_command() {
    assert_eq!(run_without_readers("down", &["down"]), Some(0));
}

#[test]
fn a_failure_is_reported_by_the_exit_code_without_readers() {
    assert_eq!(run_without_readers("failure", &["logs", "nonsense"]), Some(1));
}
