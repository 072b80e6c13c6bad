//! The gRPC service `souk.inventory.v1` over a real connection.

use contracts::proto::inventory::{
    AvailabilityRequest, Item, QuoteRequest, inventory_client::InventoryClient,
};
use inventory::{database::Database, grpc};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Code, transport::Channel};

use crate::support::api;

/// A client of a server on `db`, which runs until the guard is dropped.
async fn client(db: Database) -> (InventoryClient<Channel>, DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    tokio::spawn(grpc::serve(db, listener, None, shutdown.clone()));
    (
        InventoryClient::connect(url).await.unwrap(),
        shutdown.drop_guard(),
    )
}

fn quote_request(items: &[(&str, u32)]) -> QuoteRequest {
    let items = items.iter().map(|(sku, quantity)| Item {
        sku: (*sku).to_owned(),
        quantity: *quantity,
    });
    QuoteRequest {
        items: items.collect(),
    }
}

#[tokio::test]
async fn a_quote_has_the_current_names_prices_and_totals() {
    let api = api().await;
    api.product("A", "Green Tea", 500, 0).await;
    api.product("B", "Black Tea", 725, 0).await;
    let (mut client, _guard) = client(api.shelf.db.clone()).await;
    let quote = client
        .quote(quote_request(&[("B", 2), ("A", 3)]))
        .await
        .unwrap()
        .into_inner();
    let lines: Vec<_> = quote
        .lines
        .into_iter()
        .map(|line| {
            (
                line.sku,
                line.name,
                line.quantity,
                line.unit_price.unwrap().amount,
                line.line_total.unwrap().amount,
            )
        })
        .collect();
    let line = |sku: &str, name: &str, quantity, unit, total| {
        (sku.to_owned(), name.to_owned(), quantity, unit, total)
    };
    assert_eq!(
        lines,
        [
            line("B", "Black Tea", 2, 725, 1_450),
            line("A", "Green Tea", 3, 500, 1_500)
        ]
    );
    let total = quote.total.unwrap();
    assert_eq!((total.amount, total.currency.as_str()), (2_950, "EUR"));
}

#[tokio::test]
async fn an_invalid_request_is_rejected_with_its_reason() {
    let api = api().await;
    api.product("A", "Green Tea", 500, 0).await;
    let (mut client, _guard) = client(api.shelf.db.clone()).await;
    let unknown = client
        .quote(quote_request(&[("A", 1), ("NOPE", 1), ("NADA", 1)]))
        .await
        .unwrap_err();
    assert_eq!(
        (unknown.code(), unknown.message()),
        (Code::NotFound, "there is no product NOPE")
    );
    for bad in [
        &[][..],
        &[("A", 0)],
        &[("A", 100)],
        &[("a b", 1)],
        &[("A", 1), ("A", 2)],
    ] {
        let error = client.quote(quote_request(bad)).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{bad:?}: {error}");
    }
    for skus in [vec![], vec!["a b".to_owned()], vec!["A".to_owned(); 101]] {
        let error = client
            .availability(AvailabilityRequest { skus })
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{error}");
    }
}

#[tokio::test]
async fn availability_is_the_number_of_units_that_can_be_reserved() {
    let api = api().await;
    api.product("A", "Green Tea", 500, 3).await;
    api.product("B", "Black Tea", 500, 0).await;
    api.shelf
        .reserve(contracts::OrderId::generate(), &[("A", 1)])
        .await;
    let (mut client, _guard) = client(api.shelf.db.clone()).await;
    let skus = ["B", "NOPE", "A"].map(str::to_owned).to_vec();
    let reply = client
        .availability(AvailabilityRequest { skus })
        .await
        .unwrap()
        .into_inner();
    let items: Vec<_> = reply
        .items
        .into_iter()
        .map(|item| (item.sku, item.available, item.in_stock))
        .collect();
    assert_eq!(items, [("B".to_owned(), 0, false), ("A".to_owned(), 2, true)]);
    let unknown = client
        .availability(AvailabilityRequest {
            skus: vec!["NOPE".to_owned()],
        })
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

#[tokio::test]
async fn an_unavailable_database_leads_to_status_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let db = Database::new(&format!("mongodb://{closed}/inventory?directConnection=true"))
        .await
        .unwrap();
    let (mut client, _guard) = client(db).await;
    let started = std::time::Instant::now();
    let error = client.quote(quote_request(&[("A", 1)])).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{error}");
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}
