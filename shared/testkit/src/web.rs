//! Serves the routers under test on real sockets.

use axum::Router;
use tokio::net::TcpListener;

/// Serves the router on a free port until the test's runtime ends. Returns the base URL without a trailing slash.
///
/// # Panics
/// If no port can be bound.
pub async fn spawn(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}
