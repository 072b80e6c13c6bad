//! Tests that a change of a table and of a message is deployed without downtime, as docs/changing-schemas-and-messages.md
//! describes: shoppers keep buying while the previous version is replaced by the current one, instance by instance. The
//! previous version is built from the history of the repository.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod instances;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use e2e::{Client, Stack, client::order_body};
use instances::{Instance, Service, Slot, service_address};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// The previous version is the one before this file, with which the change of the table began. The version of the message
/// came after it. When this change is complete, point to the next one, or remove this test.
const CHANGE: &str = "migrations/orders/0023_order_total_expand.sql";
/// The services that the change concerns.
const CHANGED: [&str; 3] = ["inventory", "orders", "auditor"];
const OTHERS: [&str; 5] = ["users", "psp", "payments", "notifications", "gateway"];
const BUYERS: usize = 4;
const STOCK: i64 = 100_000;
/// How many orders must be confirmed between two steps of the deployment.
const ORDERS_PER_STEP: usize = 8;

/// Shoppers who buy until they are stopped. A single failed request fails the test.
struct Load {
    confirmed: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
    buyers: JoinSet<usize>,
}

impl Load {
    async fn start(gateway: &str, sku: &str) -> Self {
        let mut this = Self {
            confirmed: Arc::default(),
            stopped: Arc::default(),
            buyers: JoinSet::new(),
        };
        for _ in 0..BUYERS {
            let shopper = Client::shopper(gateway).await;
            let (confirmed, stopped) = (Arc::clone(&this.confirmed), Arc::clone(&this.stopped));
            let sku = sku.to_owned();
            this.buyers.spawn(async move {
                let mut placed = 0;
                while !stopped.load(Ordering::Relaxed) {
                    buy(&shopper, &sku).await;
                    confirmed.fetch_add(1, Ordering::Relaxed);
                    placed += 1;
                }
                placed
            });
        }
        this
    }

    /// Waits until more orders are confirmed, so that the load meets the current state of the deployment.
    async fn proceeds(&mut self, state: &str) {
        let goal = self.confirmed.load(Ordering::Relaxed) + ORDERS_PER_STEP;
        let reached = async {
            while self.confirmed.load(Ordering::Relaxed) < goal {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            () = reached => println!("{state}: {} orders are confirmed", self.confirmed.load(Ordering::Relaxed)),
            ended = self.buyers.join_next() => panic!("a request failed while {state}: {ended:?}"),
            () = tokio::time::sleep(Duration::from_mins(1)) => panic!("no order is confirmed while {state}"),
        }
    }

    /// Stops the shoppers and returns how many orders they have placed.
    async fn stop(self) -> usize {
        self.stopped.store(true, Ordering::Relaxed);
        self.buyers.join_all().await.into_iter().sum()
    }
}

/// Places an order and polls it until it is confirmed. No request may fail, and none is repeated.
async fn buy(shopper: &Client, sku: &str) {
    let order = shopper
        .post("/v1/orders", order_body(sku, 1, "pm_card_ok"))
        .await
        .expect(202)
        .body;
    let path = format!("/v1/orders/{}", order["id"].as_str().unwrap());
    loop {
        let order = shopper.get(&path).await.expect(200).body;
        assert_eq!(
            order["total"],
            json!({"amount": 1250, "currency": "EUR"}),
            "{order:#}"
        );
        match order["status"].as_str() {
            Some("pending") => tokio::time::sleep(Duration::from_millis(50)).await,
            Some("confirmed") => return,
            _ => panic!("{order:#}"),
        }
    }
}

/// Links the previous programs of the changed services and the current ones of the others into one folder.
fn link_programs(folder: &Path, previous: &Path, current: &Path) {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).unwrap();
    let programs = CHANGED.map(|name| previous.join(name)).into_iter();
    let programs = programs.chain(OTHERS.map(|name| current.join(name)));
    let tools = ["souk-certificates", "souk-topics"].map(|name| current.join(name));
    for program in programs.chain(tools).chain([previous.join("grants")]) {
        std::os::unix::fs::symlink(&program, folder.join(program.file_name().unwrap())).unwrap();
    }
}

/// Sends the requests of the gateway to these instances instead of those in its file.
async fn route_to(admin: &Client, orders: &[Slot], inventory: &[Slot]) {
    let mut config = include_str!("../../../gateway/gateway.yaml").to_owned();
    let list =
        |address: fn(&Slot) -> String, slots: &[Slot]| json!(slots.iter().map(address).collect::<Vec<_>>());
    for (address, addresses) in [
        (
            "${SOUK_ORDERS_ADDR:-orders:8082}",
            list(|slot| slot.http.to_string(), orders),
        ),
        (
            "${SOUK_INVENTORY_ADDR:-inventory:8083}",
            list(|slot| slot.http.to_string(), inventory),
        ),
        (
            "${SOUK_INVENTORY_GRPC_ADDR:-inventory:9083}",
            list(|slot| slot.grpc.to_string(), inventory),
        ),
    ] {
        let found = format!("url: \"${{SOUK_DISCOVERY:-dns}}://{address}\"");
        assert!(config.contains(&found), "{found}");
        config = config.replace(&found, &format!("static: {addresses}"));
    }
    let request = admin.request(Method::PUT, "/v1/admin/config");
    let request = request.header("content-type", "application/yaml").body(config);
    let response = admin.send(request).await;
    assert!(
        response.status.is_success(),
        "{} {:#}",
        response.status,
        response.body
    );
}

/// Deletes the system when the test ends. If it fails, the logs remain.
struct Guard<'a>(&'a Stack);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop_all();
        } else {
            self.0.reset();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "builds the previous version from the whole history of the repository; the nightly workflow runs it"]
async fn a_table_and_a_message_change_while_shoppers_buy_and_no_request_fails() {
    let previous = Stack::build_previous(CHANGE, &CHANGED);
    let folder = previous.join("system");
    link_programs(&folder, &previous, &Stack::programs());
    let stack = Stack::start_own("souk-upgrade", &folder);
    let _guard = Guard(&stack);
    let gateway = &stack.status.gateway;
    let admin = Client::admin(gateway).await;
    let sku = admin.product(STOCK).await;

    // Two instances of each service, all of the previous version.
    let process = |name| {
        stack
            .status
            .processes
            .iter()
            .find(|process| process.name == name)
            .unwrap()
    };
    let inventory = Service::of(process("inventory"), "inventory", &stack.logs());
    let mut orders = Service::of(process("orders"), "orders", &stack.logs());
    for name in ["orders", "inventory"] {
        stack.stop(name);
    }
    let (orders_slots, inventory_slots) = ([Slot::new(), Slot::new()], [Slot::new(), Slot::new()]);
    let grpc = service_address(inventory_slots.map(|slot| slot.grpc).into()).await;
    orders.redirect("SOUK_INVENTORY_GRPC_URL", grpc);
    let mut inventory_instances = vec![];
    for slot in inventory_slots {
        inventory_instances.push(Instance::start(&inventory, slot, &previous).await);
    }
    let mut orders_instances = vec![];
    for slot in orders_slots {
        orders_instances.push(Instance::start(&orders, slot, &previous).await);
    }
    route_to(&admin, &orders_slots, &inventory_slots).await;

    let mut load = Load::start(gateway, &sku).await;
    load.proceeds("all instances have the previous version").await;

    stack.migrate();
    load.proceeds("the previous version uses the migrated tables")
        .await;

    // Receivers before senders: inventory understands both versions of the message before orders sends the new one.
    let current = Stack::programs();
    for instance in &mut inventory_instances {
        instance.replace(&inventory, &current).await;
        load.proceeds("the instances of inventory are replaced").await;
    }
    assert!(handled(&inventory_instances, "inventory.reserve_stock.v1").await > 0.0);
    assert!(handled(&inventory_instances, "inventory.reserve_stock.v2").await < 1.0);
    for instance in &mut orders_instances {
        instance.replace(&orders, &current).await;
        load.proceeds("the instances of orders are replaced").await;
    }
    assert!(handled(&inventory_instances, "inventory.reserve_stock.v2").await > 0.0);

    // Until the contract step, the previous version of orders can be deployed again.
    orders_instances[0].replace(&orders, &previous).await;
    load.proceeds("orders is rolled back").await;
    orders_instances[0].replace(&orders, &current).await;
    stack.stop("auditor");
    stack.start("auditor");
    stack.contract();
    load.proceeds("the column of the previous version is dropped")
        .await;

    let placed = load.stop().await;
    let left = admin.stock(&sku).await;
    let sold = STOCK - i64::try_from(placed).unwrap();
    assert_eq!(
        (left["available"].as_i64(), left["held"].as_i64()),
        (Some(sold), Some(0)),
        "{placed} orders were placed: {left:#}"
    );
    let dead_letters: Value = admin.get("/v1/admin/dead-letters").await.expect(200).body;
    assert_eq!(dead_letters["items"], json!([]), "{dead_letters:#}");
    stack.audit(Duration::from_mins(1));
}

/// How many commands of this kind the instances have handled.
async fn handled(instances: &[Instance], kind: &str) -> f64 {
    let mut sum = 0.0;
    for instance in instances {
        sum += instance.handled(kind).await;
    }
    sum
}
