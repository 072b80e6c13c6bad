//! The account that processes run as: the caller's own, or an unprivileged one if the caller is root. Servers should not run
//! as root, and PostgreSQL refuses to.

use std::{
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
    process::Command,
};

use anyhow::{Context as _, Result, bail};

const NAME: &str = "souk";

/// An account of the operating system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Returns the unprivileged account, and creates it if necessary; `None` means the caller's own account.
pub(crate) fn unprivileged() -> Result<Option<Account>> {
    if !is_root() {
        return Ok(None);
    }
    if let Some(account) = lookup()? {
        return Ok(Some(account));
    }
    let made = Command::new("useradd")
        .args([
            "--system",
            "--user-group",
            "--no-create-home",
            "--home-dir",
            "/nonexistent",
            "--shell",
            "/usr/sbin/nologin",
            NAME,
        ])
        .output()
        .context("cannot run useradd")?;
    if !made.status.success() {
        bail!(
            "cannot create the account `{NAME}` that the servers run as ({}); create it manually, or run this command as a user other than root",
            String::from_utf8_lossy(&made.stderr).trim()
        );
    }
    lookup()
}

fn lookup() -> Result<Option<Account>> {
    let number = |flag: &str| -> Result<Option<u32>> {
        let output = Command::new("id")
            .args([flag, NAME])
            .output()
            .context("cannot run id")?;
        Ok(output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().parse())
            .transpose()?)
    };
    Ok(number("-u")?
        .zip(number("-g")?)
        .map(|(uid, gid)| Account { uid, gid }))
}

/// Whether all users may enter every existing folder above the path.
pub(crate) fn is_public(path: &Path) -> bool {
    path.ancestors().skip(1).all(|folder| {
        folder.as_os_str().is_empty()
            || !folder.exists()
            || folder.metadata().is_ok_and(|data| data.mode() & 0o001 != 0)
    })
}

/// Creates a folder that only the account can access.
pub(crate) fn private_folder(path: &Path, account: Option<Account>) -> Result<()> {
    std::fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    own(path, account)
}

/// Writes a file that only the account can read, and replaces an existing one.
pub(crate) fn private_file(path: &Path, text: &str, account: Option<Account>) -> Result<()> {
    let _ = std::fs::remove_file(path);
    let mut options = std::fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create_new(true), 0o600);
    std::io::Write::write_all(&mut options.open(path)?, text.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    own(path, account)
}

fn own(path: &Path, account: Option<Account>) -> Result<()> {
    if let Some(Account { uid, gid }) = account {
        std::os::unix::fs::chown(path, Some(uid), Some(gid))
            .with_context(|| format!("cannot give {} to `{NAME}`", path.display()))?;
    }
    Ok(())
}
