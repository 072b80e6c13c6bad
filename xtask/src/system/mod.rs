//! Access to the machine: packages, the unprivileged account, processes, ports.

pub(crate) mod account;
pub(crate) mod golang;
pub(crate) mod install;
pub(crate) mod jars;
pub(crate) mod ports;
pub(crate) mod process;

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// Path of a program on PATH, if it is executable.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| is_executable(file))
}

pub(crate) fn is_executable(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}
