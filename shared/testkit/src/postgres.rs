//! Fresh PostgreSQL databases. A migrator is run once into a template; a test's database is a copy of it, which takes
//! some ten milliseconds.

use std::str::FromStr as _;

use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use uuid::Uuid;

/// Serialises the making of templates over all test processes; any number will do.
const TEMPLATE_LOCK: i64 = 0x50_55_4b;

/// A database of one test. It is dropped with this.
#[derive(Debug)]
pub struct TestDatabase {
    /// Connected as the superuser, so that a test may do what a service may not.
    pub pool: PgPool,
    /// Its URL.
    pub url: String,
    name: String,
}

/// A fresh database with the migrations applied.
///
/// # Panics
/// Without `SOUK_TEST_POSTGRES`, and when the server or a migration fails.
pub async fn database(migrator: &Migrator) -> TestDatabase {
    let server = crate::setting("SOUK_TEST_POSTGRES");
    let mut admin = PgConnection::connect(&server)
        .await
        .expect("cannot connect to SOUK_TEST_POSTGRES");
    let template = template(&mut admin, &server, migrator).await;
    let name = format!("test_{}", Uuid::now_v7().simple());
    run(&mut admin, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    let _ = admin.close().await;
    let url = with_database(&server, &name);
    let pool = PgPoolOptions::new()
        .max_connections(20)
        .connect_lazy(&url)
        .expect("a valid URL");
    TestDatabase { pool, url, name }
}

/// The name of the migrator's template, which is made if need be.
async fn template(admin: &mut PgConnection, server: &str, migrator: &Migrator) -> String {
    let checksums: Vec<u8> = migrator
        .iter()
        .flat_map(|migration| migration.checksum.to_vec())
        .collect();
    let template = format!(
        "template_{}",
        Uuid::new_v5(&Uuid::NAMESPACE_OID, &checksums).simple()
    );
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(TEMPLATE_LOCK)
        .execute(&mut *admin)
        .await
        .expect("lock");
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(&template)
        .fetch_one(&mut *admin)
        .await
        .expect("pg_database");
    if !exists {
        // Under another name until it is complete: a migration that fails must not leave half a template.
        let draft = format!("draft_{}", Uuid::now_v7().simple());
        run(admin, format!("CREATE DATABASE {draft}")).await;
        let mut fresh = PgConnection::connect(&with_database(server, &draft))
            .await
            .expect("connect");
        let migrated = migrator.run(&mut fresh).await;
        let _ = fresh.close().await;
        if let Err(error) = migrated {
            run(admin, format!("DROP DATABASE {draft} WITH (FORCE)")).await;
            panic!("the migrations fail: {error}");
        }
        run(admin, format!("ALTER DATABASE {draft} RENAME TO {template}")).await;
    }
    sqlx::query("SELECT pg_advisory_unlock($1)")
        .bind(TEMPLATE_LOCK)
        .execute(admin)
        .await
        .expect("unlock");
    template
}

/// DDL takes no parameters; the names in it are made here, of letters, digits and underscores.
async fn run(admin: &mut PgConnection, ddl: String) {
    sqlx::query(AssertSqlSafe(ddl.clone()))
        .execute(admin)
        .await
        .unwrap_or_else(|error| panic!("{ddl}: {error}"));
}

fn with_database(server: &str, name: &str) -> String {
    let (address, parameters) = server.split_once('?').unwrap_or((server, ""));
    let (base, _) = address
        .rsplit_once('/')
        .expect("SOUK_TEST_POSTGRES ends with a database");
    let separator = if parameters.is_empty() { "" } else { "?" };
    format!("{base}/{name}{separator}{parameters}")
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Ok(options) = PgConnectOptions::from_str(&self.url) else {
            return;
        };
        let ddl = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        crate::block_on_elsewhere(async move {
            // A leftover database harms nobody: the server is deleted after the tests.
            if let Ok(mut admin) = PgConnection::connect_with(&options.database("postgres")).await {
                let _ = sqlx::query(AssertSqlSafe(ddl)).execute(&mut admin).await;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn replaces_the_database_of_a_url() {
        assert_eq!(
            with_database("postgres://a:b@h:1/postgres", "x"),
            "postgres://a:b@h:1/x"
        );
        assert_eq!(
            with_database("postgres://h/postgres?sslmode=disable", "x"),
            "postgres://h/x?sslmode=disable"
        );
    }
}
