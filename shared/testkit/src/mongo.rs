//! MongoDB for tests: fresh databases on a shared server, and separate servers that a single test may kill.

use mongodb::{Client, Database};
use uuid::Uuid;

use crate::own::OwnServer;

/// A database for a single test. The database is deleted when this is dropped.
#[derive(Debug)]
pub struct TestMongo {
    /// Connection URL, with the database name as the path.
    pub url: String,
    /// The database, which is empty at first.
    pub db: Database,
}

/// Returns a new, empty database.
///
/// # Panics
/// If `SOUK_TEST_MONGODB` is not set or not a MongoDB URL.
pub async fn database() -> TestMongo {
    let url = crate::with_database(
        &crate::setting("SOUK_TEST_MONGODB"),
        &format!("test_{}", Uuid::now_v7().simple()),
    );
    let client = Client::with_uri_str(&url)
        .await
        .expect("SOUK_TEST_MONGODB is a MongoDB URL");
    let db = client.default_database().expect("the URL names the database");
    TestMongo { url, db }
}

/// A MongoDB server for a single test. It is deleted when this is dropped.
#[derive(Debug)]
pub struct OwnMongo {
    server: OwnServer,
    /// URL of a database on the server, which stays the same after a restart.
    pub url: String,
}

impl OwnMongo {
    /// Starts a MongoDB server with an empty data directory.
    ///
    /// # Panics
    /// If `SOUK_XTASK` is not set or the server does not start.
    #[must_use]
    pub fn start() -> Self {
        let (server, url) = OwnServer::start("mongodb", "SOUK_TEST_MONGODB");
        Self {
            server,
            url: crate::with_database(&url, "test"),
        }
    }

    /// Kills the server with SIGKILL.
    pub fn kill(&self) {
        self.server.kill();
    }

    /// Starts the killed server again with the same address and data.
    pub fn restart(&self) {
        self.server.restart();
    }
}

impl Drop for TestMongo {
    fn drop(&mut self) {
        let url = self.url.clone();
        // Use a new client, because the test's client is bound to the test's runtime.
        crate::delete_in_background(async move {
            if let Ok(client) = Client::with_uri_str(&url).await
                && let Some(db) = client.default_database()
            {
                let _ = db.drop().await;
            }
        });
    }
}
