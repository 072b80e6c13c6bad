//! Fake inventory and payments on a real broker. They reply "done" unless a script says otherwise.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use contracts::saga::{Outcome, queues};
use messaging::{Broker, DEAD_LETTERS, HandleError, Handler, Incoming, Outgoing, consume};
use orders::dead_letters::consumer::DeadLetterConsumer;
use serde_json::Value;
use testkit::eventually;
use tokio_util::sync::CancellationToken;

use crate::support::{Shop, shop_with_broker};

pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// How the participants handle a type of command.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Script {
    Refuse(&'static str),
    /// Performs the command and sends the reply "done" twice.
    ReplyTwice,
    /// Fails as if the body could not be decoded.
    FailToDecode,
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
            Some(Script::FailToDecode) => {
                return Err(HandleError::Poison(
                    std::io::Error::other("it does not decode").into(),
                ));
            }
            Some(Script::Refuse(reason)) => Outcome::Refused {
                reason: reason.into(),
                detail: format!("because of {reason}"),
            },
            Some(Script::ReplyTwice) => {
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
    /// Sets how a type of command is handled; none means that the reply is "done".
    pub(crate) fn set_script(&self, kind: &'static str, script: Option<Script>) {
        let mut scripts = self.scripts.lock().unwrap();
        match script {
            Some(script) => scripts.insert(kind, script),
            None => scripts.remove(kind),
        };
    }
}

/// A shop with a relay, consumers and participants, which stop when it is dropped.
pub(crate) struct RunningShop {
    pub(crate) shop: Shop,
    pub(crate) participants: Arc<Participants>,
    shutdown: CancellationToken,
}

impl Drop for RunningShop {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

pub(crate) async fn running_shop(scripts: &[(&'static str, Script)]) -> RunningShop {
    let shop = shop_with_broker().await;
    let participants = Arc::new(Participants::default());
    *participants.broker.lock().unwrap() = Some(Arc::clone(&shop.broker));
    for (kind, script) in scripts {
        participants.set_script(kind, Some(*script));
    }
    let shutdown = CancellationToken::new();
    for queue in [queues::INVENTORY, queues::PAYMENTS] {
        let (broker, participants, token) = (
            Arc::clone(&shop.broker),
            Arc::clone(&participants),
            shutdown.clone(),
        );
        tokio::spawn(async move { consume(broker, queue, 8, participants, token).await });
    }
    let replies = Arc::new(shop.replies.clone());
    tokio::spawn(consume(
        Arc::clone(&shop.broker),
        queues::ORDERS,
        8,
        replies,
        shutdown.clone(),
    ));
    let dead_letters = DeadLetterConsumer::new(shop.app.pool.clone(), shop.app.dispatcher.clone());
    tokio::spawn(consume(
        Arc::clone(&shop.broker),
        DEAD_LETTERS,
        8,
        Arc::new(dead_letters),
        shutdown.clone(),
    ));
    let (relay, token) = (shop.app.outbox.clone(), shutdown.clone());
    tokio::spawn(async move { relay.run(token).await });
    RunningShop {
        shop,
        participants,
        shutdown,
    }
}

impl RunningShop {
    /// Waits until the order's saga has this status. Returns the order and the saga.
    pub(crate) async fn wait_for_status(&self, order: contracts::OrderId, status: &str) -> (Value, Value) {
        let saga = eventually(&format!("the saga is {status}"), TIMEOUT, async || {
            let saga = self.shop.saga(order).await;
            (saga["status"] == status).then_some(saga)
        })
        .await;
        (self.shop.get_order(order).await, saga)
    }
}
