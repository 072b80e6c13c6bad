//! The demo accounts.

use users::seed;

use crate::support::Users;

#[tokio::test]
async fn seeding_twice_adds_the_accounts_once() {
    let users = Users::start().await;
    seed::run(&users.database.pool).await.unwrap();
    seed::run(&users.database.pool).await.unwrap();
    assert_eq!(users.count("SELECT count(*) FROM users").await, 3);
    let registered_events = "SELECT count(*) FROM domain_events WHERE type = 'user_registered'";
    assert_eq!(users.count(registered_events).await, 3);
    assert_eq!(
        users.login("demo@souk.test", "demo-password-souk").await.status,
        200
    );
    let admin = users.login("admin@souk.test", "admin-password-souk").await.body["access_token"].clone();
    assert_eq!(users.get("/v1/users", admin.as_str().unwrap()).await.status, 200);
}
