//! Fresh MongoDB databases.

use mongodb::{Client, Database};
use uuid::Uuid;

use crate::own::OwnServer;

/// A database of one test. It is dropped with this.
#[derive(Debug)]
pub struct TestMongo {
    /// Its URL, with the database as the path.
    pub url: String,
    /// Connected, and empty.
    pub db: Database,
}

/// A fresh, empty database.
///
/// # Panics
/// Without `SOUK_TEST_MONGODB`, and when that is no URL.
pub async fn database() -> TestMongo {
    let url = with_database(
        &crate::setting("SOUK_TEST_MONGODB"),
        &format!("test_{}", Uuid::now_v7().simple()),
    );
    let client = Client::with_uri_str(&url)
        .await
        .expect("SOUK_TEST_MONGODB is a MongoDB URL");
    let db = client.default_database().expect("the URL names the database");
    TestMongo { url, db }
}

/// A MongoDB server of one test's own. It is deleted with this.
#[derive(Debug)]
pub struct OwnMongo {
    server: OwnServer,
    /// The URL of a database; the same after a restart.
    pub url: String,
}

impl OwnMongo {
    /// Starts a MongoDB server for one test alone.
    ///
    /// # Panics
    /// Without `SOUK_XTASK`, and when it does not start.
    #[must_use]
    pub fn start() -> Self {
        let (server, url) = OwnServer::start("mongodb", "SOUK_TEST_MONGODB");
        Self {
            server,
            url: with_database(&url, "test"),
        }
    }

    /// `kill -9`, at once.
    pub fn kill(&self) {
        self.server.kill();
    }

    /// Starts it again, where it was and with what it had.
    pub fn start_again(&self) {
        self.server.start_again();
    }
}

fn with_database(server: &str, name: &str) -> String {
    let (address, parameters) = server.split_once('?').unwrap_or((server, ""));
    let scheme = address.find("://").map_or(0, |at| at + 3);
    let host = address[scheme..]
        .find('/')
        .map_or(address, |slash| &address[..scheme + slash]);
    let separator = if parameters.is_empty() { "" } else { "?" };
    format!("{host}/{name}{separator}{parameters}")
}

impl Drop for TestMongo {
    fn drop(&mut self) {
        let url = self.url.clone();
        // A client of its own: the one of the test belongs to the test's runtime.
        crate::block_on_elsewhere(async move {
            if let Ok(client) = Client::with_uri_str(&url).await
                && let Some(db) = client.default_database()
            {
                let _ = db.drop().await;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn replaces_the_database_of_a_url() {
        assert_eq!(with_database("mongodb://h:1", "x"), "mongodb://h:1/x");
        assert_eq!(with_database("mongodb://h:1/old", "x"), "mongodb://h:1/x");
        assert_eq!(
            with_database("mongodb://h:1/?directConnection=true", "x"),
            "mongodb://h:1/x?directConnection=true"
        );
    }
}
