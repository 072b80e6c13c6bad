//! Regenerates the metadata of SQL queries that are checked at compile time (`services/*/.sqlx`) from migrated databases,
//! or compares it with the committed files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    cargo, interrupt,
    progress::note,
    stack::{
        Mode, Stack,
        postgres::{self, DATABASES},
    },
    system::install::Servers,
};

/// Contents of the metadata files by file name.
type Queries = BTreeMap<String, String>;

/// Writes the metadata, or with `check` fails if the committed files differ from the code.
pub(crate) fn run(check: bool) -> Result<()> {
    interrupt::listen()?;
    let folder = cargo::workspace().join("target/souk-sqlx");
    let mut stack = Stack::open(&folder, Mode::Test)?;
    let result = prepare_all(&mut stack, check);
    stack.down()?;
    stack.delete()?;
    let stale = result?;
    if !stale.is_empty() {
        bail!(
            "the committed query metadata differs from the code: {}; run `cargo xtask sqlx` and commit it",
            stale.join(", ")
        );
    }
    note("the query metadata is up to date");
    Ok(())
}

/// Prepares every service. With `check` it writes no files, and returns those that are out of date.
fn prepare_all(stack: &mut Stack, check: bool) -> Result<Vec<String>> {
    let _lock = stack.lock()?;
    let servers = stack.start_postgres()?;
    let mut stale = Vec::new();
    // A service without migrations has no queries to check.
    let is_migrated = |service: &&str| {
        sorted(&cargo::workspace().join("migrations").join(service)).is_ok_and(|files| !files.is_empty())
    };
    for service in DATABASES.into_iter().filter(is_migrated) {
        let committed = cargo::workspace().join("services").join(service).join(".sqlx");
        let fresh = prepare(stack, &servers, service)?;
        if check {
            stale.extend(differences(&queries(&fresh)?, &queries(&committed)?, service));
        } else {
            if committed.exists() {
                fs::remove_dir_all(&committed)?;
            }
            fs::create_dir_all(&committed)?;
            for (name, text) in queries(&fresh)? {
                fs::write(committed.join(name), text)?;
            }
        }
    }
    Ok(stale)
}

/// Migrates the service's database and compiles the service against it. psql executes the migrations, because the
/// program that normally applies them is not compiled yet.
fn prepare(stack: &mut Stack, servers: &Servers, service: &str) -> Result<PathBuf> {
    let migrations = cargo::workspace().join("migrations").join(service);
    for file in sorted(&migrations)? {
        let sql = fs::read_to_string(&file)?;
        postgres::psql(stack, servers, service, &sql).with_context(|| file.display().to_string())?;
    }
    let fresh = stack.folder.join("queries").join(service);
    fs::create_dir_all(&fresh)?;
    // The macros run only when the crate is compiled. Restore the time afterwards, so that it is not compiled again.
    let library = cargo::workspace()
        .join("services")
        .join(service)
        .join("src/lib.rs");
    let library = fs::File::options().append(true).open(&library)?;
    let before = library.metadata()?.modified()?;
    library.set_modified(std::time::SystemTime::now())?;
    let key = format!("{}_DATABASE_URL", service.to_uppercase());
    let url = postgres::superuser_url(stack)?;
    let url = url.strip_suffix("postgres").unwrap_or(&url);
    note(&format!("cargo check -p {service}, against its database"));
    let status = cargo::cargo()
        .args(["check", "--quiet", "--all-targets", "-p", service])
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", &fresh)
        .env(key, format!("{url}{service}"))
        .status();
    library.set_modified(before)?;
    let status = status?;
    interrupt::check()?;
    if !status.success() {
        bail!("{service} does not compile against its database");
    }
    Ok(fresh)
}

fn differences(fresh: &Queries, committed: &Queries, service: &str) -> Vec<String> {
    let names: BTreeSet<_> = fresh.keys().chain(committed.keys()).collect();
    let differs = names
        .into_iter()
        .filter(|name| fresh.get(*name) != committed.get(*name));
    let line = |name: &String| {
        let what = match (fresh.contains_key(name), committed.contains_key(name)) {
            (true, false) => "is missing",
            (false, true) => "is not needed",
            _ => "differs",
        };
        format!("services/{service}/.sqlx/{name} {what}")
    };
    differs.map(line).collect()
}

fn queries(folder: &Path) -> Result<Queries> {
    let mut queries = BTreeMap::new();
    if folder.exists() {
        for file in sorted(folder)? {
            let name = file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            queries.insert(name, fs::read_to_string(&file)?);
        }
    }
    Ok(queries)
}

/// The files of a folder, sorted by name, without those of its subfolders.
fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    files.retain(|file| file.is_file());
    files.sort();
    Ok(files)
}
