//! Fresh PostgreSQL databases. The migrations run once in a template database. Each test gets a copy of it, which takes
//! about ten milliseconds.

use std::str::FromStr as _;

use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use uuid::Uuid;

/// Advisory lock that serializes creating templates across all test processes. The number is arbitrary.
const TEMPLATE_LOCK: i64 = 0x50_55_4b;

/// A database for a single test. The database is deleted when this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    /// A pool of the superuser, so that tests may do what a service's account may not.
    pub pool: PgPool,
    /// Connection URL of the superuser for this database.
    pub url: String,
    name: String,
}

/// Creates a database with the migrations applied.
///
/// # Panics
/// If `SOUK_TEST_POSTGRES` is not set, or if the server or a migration fails.
pub async fn database(migrator: &Migrator) -> TestDatabase {
    let server = crate::setting("SOUK_TEST_POSTGRES");
    let mut admin = PgConnection::connect(&server)
        .await
        .expect("cannot connect to SOUK_TEST_POSTGRES");
    let template = template(&mut admin, &server, migrator).await;
    let name = format!("test_{}", Uuid::now_v7().simple());
    run(&mut admin, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    let _ = admin.close().await;
    let url = crate::with_database(&server, &name);
    let pool = PgPoolOptions::new()
        .max_connections(20)
        .connect_lazy(&url)
        .expect("a valid URL");
    TestDatabase { pool, url, name }
}

/// Returns the name of the template database for these migrations, and creates it if it does not exist.
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
        // Use another name until it is complete, so that a failed migration does not leave an incomplete template.
        let draft = format!("draft_{}", Uuid::now_v7().simple());
        run(admin, format!("CREATE DATABASE {draft}")).await;
        let mut fresh = PgConnection::connect(&crate::with_database(server, &draft))
            .await
            .expect("connect");
        let migrated = migrator.run(&mut fresh).await;
        let _ = fresh.close().await;
        if let Err(error) = migrated {
            run(admin, format!("DROP DATABASE {draft} WITH (FORCE)")).await;
            panic!("a migration failed: {error}");
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

/// Runs a DDL statement. DDL has no parameters, but this module generates all names, from letters, digits and underscores.
async fn run(admin: &mut PgConnection, ddl: String) {
    sqlx::query(AssertSqlSafe(ddl.clone()))
        .execute(admin)
        .await
        .unwrap_or_else(|error| panic!("{ddl}: {error}"));
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Ok(options) = PgConnectOptions::from_str(&self.url) else {
            return;
        };
        let ddl = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        crate::delete_in_background(async move {
            if let Ok(mut admin) = PgConnection::connect_with(&options.database("postgres")).await {
                let _ = sqlx::query(AssertSqlSafe(ddl)).execute(&mut admin).await;
            }
        });
    }
}
