//! Test databases with the services' schemas, and an auditor on them that is limited to the rights of its accounts.

use std::path::{Path, PathBuf};

use auditor::{App, Databases, app, config::Config};
use bson::{Document, doc};
use events::{Brokers, Namespace};
use serde_json::Value;
use souk_http::auth::Verifier;
use sqlx::{AssertSqlSafe, PgPool, migrate::Migrator};
use testkit::{auth::Issuer, mongo::TestMongo, postgres::TestDatabase};
use tokio::net::TcpListener;

/// An order whose payment was captured and whose stock was committed an hour ago.
pub(crate) const ORDER: &str = "01890000-0000-7000-8000-000000000001";

pub(crate) struct Shop {
    pub(crate) users: TestDatabase,
    pub(crate) orders: TestDatabase,
    pub(crate) payments: TestDatabase,
    pub(crate) psp: TestDatabase,
    pub(crate) inventory: TestMongo,
    issuer: Issuer,
}

/// An auditor that serves HTTP.
pub(crate) struct Auditor {
    pub(crate) app: App,
    pub(crate) issuer: Issuer,
    url: String,
}

/// A shop with one order that satisfies every invariant.
pub(crate) async fn shop() -> Shop {
    let (users, orders, payments, psp, inventory, issuer) = tokio::join!(
        Box::pin(database("users")),
        Box::pin(database("orders")),
        Box::pin(database("payments")),
        Box::pin(database("psp")),
        testkit::mongo::database(),
        Issuer::start()
    );
    let shop = Shop {
        users,
        orders,
        payments,
        psp,
        inventory,
        issuer,
    };
    shop.insert_order().await;
    shop
}

/// A migrated database with a role that has the auditor's rights.
async fn database(service: &str) -> TestDatabase {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let migrator = Migrator::new(root.join("migrations").join(service))
        .await
        .unwrap();
    let database = testkit::postgres::database(&migrator).await;
    // Roles belong to the whole server, and another test may create this one at the same time.
    let role = format!(
        "DO $$ BEGIN CREATE ROLE {service}_reader;
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    );
    execute(&database.pool, &role).await;
    let grants: PathBuf = root.join(format!("services/auditor/grants/{service}.sql"));
    execute(&database.pool, &std::fs::read_to_string(grants).unwrap()).await;
    database
}

/// Executes a test's SQL as the superuser.
pub(crate) async fn execute(pool: &PgPool, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(pool)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The URL that connects with the auditor's role.
fn as_reader(database: &TestDatabase, service: &str) -> String {
    format!("{}?options[role]={service}_reader", database.url)
}

impl Shop {
    /// The settings of an auditor of this shop.
    pub(crate) fn config(&self) -> Config {
        Config {
            http_addr: "127.0.0.1:0".parse().unwrap(),
            admin_addr: "127.0.0.1:0".parse().unwrap(),
            jwks_url: self.issuer.jwks_url(),
            tls: None,
            users_database_url: as_reader(&self.users, "users").into(),
            orders_database_url: as_reader(&self.orders, "orders").into(),
            payments_database_url: as_reader(&self.payments, "payments").into(),
            psp_database_url: as_reader(&self.psp, "psp").into(),
            mongodb_url: self.inventory.url.clone().into(),
            kafka_brokers: None,
            demo: true,
            log: None,
        }
    }

    pub(crate) async fn databases(&self) -> Databases {
        Databases::new(&self.config(), &Namespace::default())
            .await
            .unwrap()
    }

    /// The databases together with a Kafka.
    pub(crate) async fn databases_with_kafka(&self, brokers: &Brokers, namespace: &Namespace) -> Databases {
        let config = Config {
            kafka_brokers: Some(brokers.clone()),
            ..self.config()
        };
        Databases::new(&config, namespace).await.unwrap()
    }

    pub(crate) async fn auditor(&self) -> Auditor {
        self.auditor_of(&self.config()).await
    }

    pub(crate) async fn auditor_of(&self, config: &Config) -> Auditor {
        let databases = Databases::new(config, &Namespace::default()).await.unwrap();
        let app = App::new(databases, Verifier::new(config.jwks_url.clone()));
        let url = testkit::spawn(souk_http::layers(app::router(app.clone()))).await;
        Auditor {
            app,
            issuer: self.issuer.clone(),
            url,
        }
    }

    pub(crate) async fn insert(&self, collection: &str, document: Document) {
        self.inventory
            .db
            .collection(collection)
            .insert_one(document)
            .await
            .unwrap();
    }

    /// Sets fields of a document.
    pub(crate) async fn set(&self, collection: &str, id: &str, fields: Document) {
        self.inventory
            .db
            .collection::<Document>(collection)
            .update_one(doc! {"_id": id}, doc! {"$set": fields})
            .await
            .unwrap();
    }

    /// Inserts an order of two teas out of a stock of five, confirmed an hour ago.
    async fn insert_order(&self) {
        let orders = format!(
            "INSERT INTO orders (id, user_id, status, payment_id, payment_method, payment_status, fulfilment_status,
                 total, currency, shipping_address, updated_at)
             VALUES ('{ORDER}', gen_random_uuid(), 'confirmed', gen_random_uuid(), 'pm_card_ok', 'captured', 'reserved',
                 900, 'EUR', '{{}}', now() - interval '1 hour');
             INSERT INTO order_lines (order_id, sku, position, name, quantity, unit_price)
             VALUES ('{ORDER}', 'TEA-1', 1, 'Tea', 2, 450);
             INSERT INTO sagas (id, order_id, definition, status, step_name, direction, attempts, next_at, deadline_at,
                 data, created_at, updated_at)
             VALUES ('{ORDER}', '{ORDER}', 'checkout', 'completed', 'confirm_order', 'do', 1, now(), now(), '{{}}',
                 now() - interval '1 hour', now() - interval '1 hour');
             INSERT INTO saga_log (saga_id, step, direction, command_id, outcome)
             VALUES ('{ORDER}', 'capture_payment', 'do', gen_random_uuid(), 'done');
             INSERT INTO idempotency_keys (user_id, operation, key, request_sha256, status, body)
             VALUES (gen_random_uuid(), 'place_order', 'k', '', 202, '{{\"id\": \"{ORDER}\"}}');"
        );
        execute(&self.orders.pool, &orders).await;
        let payments = format!(
            "BEGIN;
             INSERT INTO payments (id, order_id, user_id, status, amount, currency, payment_method, provider_id,
                 authorized, captured, updated_at)
             VALUES ('{ORDER}', '{ORDER}', gen_random_uuid(), 'captured', 900, 'EUR', 'pm_card_ok', 'pi_1', 900, 900,
                 now() - interval '1 hour');
             INSERT INTO ledger_transactions (id, payment_id, kind) VALUES ('{ORDER}', '{ORDER}', 'capture');
             INSERT INTO ledger_entries (transaction_id, account, amount, currency)
             VALUES ('{ORDER}', 'psp_clearing', 900, 'EUR'), ('{ORDER}', 'sales', -900, 'EUR');
             COMMIT;"
        );
        execute(&self.payments.pool, &payments).await;
        let psp = format!(
            "INSERT INTO payment_intents (id, amount, currency, payment_method, metadata, status, amount_captured)
             VALUES ('pi_1', 900, 'EUR', 'pm_card_ok', '{{\"order_id\": \"{ORDER}\"}}', 'succeeded', 900);
             INSERT INTO balance_transactions (kind, payment_intent, amount, currency)
             VALUES ('charge', 'pi_1', 900, 'EUR');"
        );
        execute(&self.psp.pool, &psp).await;
        let sold = doc! {"_id": "m1", "kind": "commit", "order_id": ORDER, "qty": -2};
        self.insert(
            "stock",
            doc! {"_id": "TEA-1", "on_hand": 3, "available": 3, "held": 0, "committed": 2, "received": 5,
            "restocked": 0, "holds": [], "journal": [sold]},
        )
        .await;
    }
}

impl Auditor {
    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> reqwest::Response {
        let mut request = reqwest::Client::new().get(format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    }

    /// Requests `path` as an administrator and expects 200.
    pub(crate) async fn get_as_admin(&self, path: &str) -> Value {
        let response = self.get(path, Some(&self.issuer.admin())).await;
        let status = response.status();
        let body: Value = response.json().await.unwrap();
        assert_eq!(status, 200, "{body:#}");
        body
    }
}

/// A Kafka with topics that belong to one test.
pub(crate) async fn kafka() -> (Brokers, Namespace) {
    let kafka = (Brokers(testkit::kafka::brokers()), testkit::namespace());
    events::topics::create(&kafka.0, &kafka.1).await.unwrap();
    kafka
}

/// An address without a listener: a port that was free a moment ago.
pub(crate) async fn closed_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}
