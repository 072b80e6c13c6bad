//! Starts a private PostgreSQL cluster with one database per service. A database has three accounts: the owner of the
//! schema, the service's account, which may only read and write rows, and the auditor's, which may only read some columns.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result};

use super::{Mode, Stack};
use crate::{
    cargo,
    progress::step,
    system::{account, install::Servers, process},
};

/// The services with a PostgreSQL database. psp comes before payments, because the tests of payments compile psp, whose
/// queries must have been checked against its own database by then.
pub(crate) const DATABASES: [&str; 5] = ["users", "orders", "psp", "payments", "notifications"];
/// The services whose databases the auditor reads.
const AUDITED: [&str; 4] = ["users", "orders", "payments", "psp"];
const SUPERUSER: &str = "postgres";

/// The role of a database account of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Owns the schema and runs migrations.
    Owner,
    /// Used by the service; reads and writes rows.
    App,
    /// Used by the auditor; reads the columns that an audit needs.
    Reader,
}

impl Role {
    fn account(self, service: &str) -> String {
        match self {
            Self::Owner => format!("{service}_owner"),
            Self::App => format!("{service}_app"),
            Self::Reader => format!("{service}_reader"),
        }
    }
}

/// Creates the cluster on first use, starts it, and creates missing databases.
pub(super) fn start(stack: &mut Stack, servers: &Servers) -> Result<()> {
    let folder = stack.data("postgres")?;
    let log = stack.log("postgres");
    if !folder.join("PG_VERSION").exists() {
        let password = stack.state.secret(SUPERUSER);
        let file = stack.state.data.join("postgres-password");
        account::private_file(&file, &password, stack.account)?;
        let initdb = stack.program(
            &servers.postgres.join("initdb"),
            &[
                "--pgdata",
                &text(&folder),
                "--username",
                SUPERUSER,
                "--pwfile",
                &text(&file),
                "--auth",
                "scram-sha-256",
                "--encoding",
                "UTF8",
                "--locale",
                "C.UTF-8",
                "--no-sync",
            ],
        );
        let made = initdb.run(&log);
        std::fs::remove_file(&file)?;
        made.context("cannot create the PostgreSQL cluster")?;
        stack.save()?;
    }
    remove_stale_pid_file(&folder)?;
    let port = stack.state.port("postgres")?.to_string();
    let mut settings = vec![
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=400",
        "password_encryption=scram-sha-256",
    ];
    if stack.mode == Mode::Test {
        settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"]);
    }
    let folder = text(&folder);
    let mut arguments = vec!["-D", &folder, "-p", &port];
    for setting in settings {
        arguments.extend(["-c", setting]);
    }
    let program = stack.program(&servers.postgres.join("postgres"), &arguments);
    let is_ready = servers.postgres.join("pg_isready");
    stack.ensure("postgres", &program, Duration::from_mins(1), |stack| {
        let mut check = stack
            .program(&is_ready, &["-q", "-h", "127.0.0.1", "-p", &port])
            .command();
        check.status().is_ok_and(|status| status.success())
    })?;
    for service in DATABASES {
        database(stack, servers, service)?;
    }
    Ok(())
}

/// Removes the pid file of a killed server. Until its parent reaps the process, the pid still exists, and PostgreSQL would
/// refuse to start. The child processes of the killed server end by themselves.
fn remove_stale_pid_file(folder: &Path) -> Result<()> {
    let mark = folder.join("postmaster.pid");
    let text = std::fs::read_to_string(&mark).unwrap_or_default();
    if let Some(pid) = text.lines().next().and_then(|line| line.trim().parse().ok())
        && !process::exists(pid)
    {
        std::fs::remove_file(&mark)?;
    }
    Ok(())
}

fn database(stack: &mut Stack, servers: &Servers, service: &str) -> Result<()> {
    let done = format!("database {service}");
    if stack.state.done.contains(&done) {
        return Ok(());
    }
    let (owner, app) = (Role::Owner.account(service), Role::App.account(service));
    let (owner_password, app_password) = (stack.state.secret(&owner), stack.state.secret(&app));
    stack.save()?;
    // An earlier attempt may have failed half-way.
    psql(
        stack,
        servers,
        "postgres",
        &format!("DROP DATABASE IF EXISTS {service}"),
    )?;
    for (account, password) in [(&owner, owner_password), (&app, app_password)] {
        psql(
            stack,
            servers,
            "postgres",
            &format!("DROP ROLE IF EXISTS {account}; CREATE ROLE {account} LOGIN PASSWORD '{password}'"),
        )?;
    }
    psql(
        stack,
        servers,
        "postgres",
        &format!("CREATE DATABASE {service} OWNER {owner}"),
    )?;
    psql(
        stack,
        servers,
        service,
        &format!(
            "REVOKE ALL ON DATABASE {service} FROM PUBLIC;
             GRANT CONNECT ON DATABASE {service} TO {app};
             ALTER SCHEMA public OWNER TO {owner};
             REVOKE ALL ON SCHEMA public FROM PUBLIC;
             GRANT USAGE ON SCHEMA public TO {app};
             ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public
                 GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app};
             ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {app};"
        ),
    )?;
    stack.state.done.insert(done);
    stack.save()
}

/// Creates the auditor's accounts if they are missing, and grants them what `services/auditor/grants` lists, or the folder
/// `grants` beside the programs of a previous version. The tables must exist.
pub(crate) fn grant_readers(stack: &mut Stack) -> Result<()> {
    let servers = stack.servers()?;
    let mut folder = stack.state.binaries.join("grants");
    if !folder.exists() {
        folder = cargo::workspace().join("services/auditor/grants");
    }
    for service in AUDITED {
        let reader = Role::Reader.account(service);
        let password = stack.state.secret(&reader);
        let file = folder.join(format!("{service}.sql"));
        let grants =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let sql = format!(
            "DO $$ BEGIN CREATE ROLE {reader} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
             ALTER ROLE {reader} PASSWORD '{password}';
             GRANT CONNECT ON DATABASE {service} TO {reader};
             GRANT USAGE ON SCHEMA public TO {reader};
             {grants}"
        );
        psql(stack, &servers, service, &sql)?;
    }
    stack.save()
}

/// Applies the SQL files in `migrations/*/contract`, each in one transaction.
pub(crate) fn contract(stack: &mut Stack) -> Result<()> {
    let servers = stack.servers()?;
    for service in DATABASES {
        let folder = cargo::workspace()
            .join("migrations")
            .join(service)
            .join("contract");
        let Ok(files) = std::fs::read_dir(&folder) else {
            continue;
        };
        for file in files {
            let file = file?.path();
            let sql = std::fs::read_to_string(&file)?;
            step(&format!("apply {}", file.display()), || {
                psql(stack, &servers, service, &format!("BEGIN;\n{sql}\nCOMMIT;"))
            })?;
        }
    }
    Ok(())
}

/// Runs SQL as the superuser. The SQL is passed in the environment, because all users of the machine can read arguments.
pub(crate) fn psql(stack: &mut Stack, servers: &Servers, database: &str, sql: &str) -> Result<()> {
    let script = r#"printf '%s' "$SQL" | "$PSQL" -X -q -v ON_ERROR_STOP=1"#;
    let mut shell = stack.program(Path::new("/bin/sh"), &["-c", script]);
    let environment = [
        ("PSQL", text(&servers.postgres.join("psql"))),
        ("SQL", sql.to_owned()),
        ("PGHOST", "127.0.0.1".to_owned()),
        ("PGPORT", stack.state.port("postgres")?.to_string()),
        ("PGUSER", SUPERUSER.to_owned()),
        ("PGPASSWORD", stack.state.secret(SUPERUSER)),
        ("PGDATABASE", database.to_owned()),
        ("PGOPTIONS", "-c client_min_messages=warning".to_owned()),
    ];
    shell.environment = environment.map(|(key, value)| (key.to_owned(), value)).into();
    shell
        .run(&stack.log("postgres"))
        .with_context(|| format!("cannot run SQL in the database {database}"))
}

/// URL of a service's database for the account with that role.
pub(crate) fn url(stack: &mut Stack, service: &str, role: Role) -> Result<String> {
    let account = role.account(service);
    let (password, port) = (stack.state.secret(&account), stack.state.port("postgres")?);
    Ok(format!(
        "postgres://{account}:{password}@127.0.0.1:{port}/{service}"
    ))
}

/// URL of the superuser, for tests and benches.
pub(crate) fn superuser_url(stack: &mut Stack) -> Result<String> {
    let (password, port) = (stack.state.secret(SUPERUSER), stack.state.port("postgres")?);
    Ok(format!(
        "postgres://{SUPERUSER}:{password}@127.0.0.1:{port}/postgres"
    ))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
