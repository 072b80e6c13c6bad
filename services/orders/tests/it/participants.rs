//! Stand-ins for inventory and payments on a real broker: they answer "done" unless told otherwise.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use contracts::saga::{Outcome, queues};
use messaging::{Broker, DEAD_LETTERS, HandleError, Handler, Incoming, Outgoing, consume};
use orders::dead_letters::bury::Undertaker;
use serde_json::Value;
use testkit::eventually;
use tokio_util::sync::CancellationToken;

use crate::support::{Shop, shop_with_broker};

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What they do with a kind of command.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Script {
    Refuse(&'static str),
    /// Answers, and then again.
    Twice,
    /// Cannot read it.
    Choke,
}

#[derive(Default)]
pub(crate) struct Participants {
    scripts: Mutex<BTreeMap<&'static str, Script>>,
    pub(crate) received: Mutex<Vec<String>>,
    broker: Mutex<Option<Arc<Broker>>>,
}

impl Handler for Participants {
    async fn handle(&self, message: Incoming) -> Result<(), HandleError> {
        let script = self.scripts.lock().unwrap().get(message.kind.as_str()).copied();
        self.received.lock().unwrap().push(message.kind.clone());
        let broker = self.broker.lock().unwrap().clone().unwrap();
        let outcome = match script {
            Some(Script::Choke) => {
                return Err(HandleError::Poison(
                    std::io::Error::other("it does not decode").into(),
                ));
            }
            Some(Script::Refuse(reason)) => Outcome::Refused {
                reason: reason.into(),
                detail: format!("because of {reason}"),
            },
            Some(Script::Twice) => {
                broker.publish(&Outgoing::reply(&message, Outcome::Done)).await?;
                Outcome::Done
            }
            None => Outcome::Done,
        };
        broker.publish(&Outgoing::reply(&message, outcome)).await?;
        Ok(())
    }
}

impl Participants {
    pub(crate) fn told(&self, kind: &'static str, script: Option<Script>) {
        let mut scripts = self.scripts.lock().unwrap();
        match script {
            Some(script) => scripts.insert(kind, script),
            None => scripts.remove(kind),
        };
    }
}

/// A shop with a relay, consumers and participants, which stop with it.
pub(crate) struct Live {
    pub(crate) shop: Shop,
    pub(crate) participants: Arc<Participants>,
    halt: CancellationToken,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.halt.cancel();
    }
}

pub(crate) async fn live(scripts: &[(&'static str, Script)]) -> Live {
    let shop = shop_with_broker().await;
    let participants = Arc::new(Participants::default());
    *participants.broker.lock().unwrap() = Some(Arc::clone(&shop.broker));
    for (kind, script) in scripts {
        participants.told(kind, Some(*script));
    }
    let halt = CancellationToken::new();
    for queue in [queues::INVENTORY, queues::PAYMENTS] {
        let (broker, participants, token) =
            (Arc::clone(&shop.broker), Arc::clone(&participants), halt.clone());
        tokio::spawn(async move { consume(broker, queue, 8, participants, token).await });
    }
    let orchestrator = Arc::new(shop.orchestrator.clone());
    tokio::spawn(consume(
        Arc::clone(&shop.broker),
        queues::ORDERS,
        8,
        orchestrator,
        halt.clone(),
    ));
    let undertaker = Arc::new(Undertaker::new(shop.app.pool.clone()));
    tokio::spawn(consume(
        Arc::clone(&shop.broker),
        DEAD_LETTERS,
        8,
        undertaker,
        halt.clone(),
    ));
    let (relay, token) = (shop.app.outbox.clone(), halt.clone());
    tokio::spawn(async move { relay.run(token).await });
    Live {
        shop,
        participants,
        halt,
    }
}

impl Live {
    /// The order, once its saga has this status.
    pub(crate) async fn settled(&self, order: contracts::OrderId, status: &str) -> (Value, Value) {
        let saga = eventually(&format!("the saga is {status}"), PATIENCE, async || {
            let saga = self.shop.saga(order).await;
            (saga["status"] == status).then_some(saga)
        })
        .await;
        (self.shop.see(order).await, saga)
    }
}
