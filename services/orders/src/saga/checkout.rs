//! The sagas of Souk, each a table to be read from top to bottom. What a reply does to them is in `engine.rs`; what a
//! step means for the order in `effects.rs`.

use contracts::saga::{
    AuthorizePayment, CapturePayment, CommitStock, PinStock, RefundPayment, ReleaseStock, ReserveStock,
    RestockItems, UnpinStock, VoidPayment,
};

use super::table::{Facts, Saga, inventory, local, payments};

/// From a placed order to a confirmed one. Its id is the order's.
pub const CHECKOUT: Saga = Saga::new(
    "checkout",
    &[
        inventory("reserve_stock", reserve).undo(|c| ReleaseStock { order_id: c.order }.into()),
        payments("authorize_payment", authorize).undo(|c| VoidPayment { order_id: c.order }.into()),
        // From here the hold no longer expires.
        inventory("pin_stock", |c| PinStock { order_id: c.order }.into())
            .undo(|c| UnpinStock { order_id: c.order }.into()),
        // Money moves: no way back.
        payments("capture_payment", |c| CapturePayment { order_id: c.order }.into()).pivot(),
        inventory("commit_stock", |c| CommitStock { order_id: c.order }.into()),
        local("confirm_order"),
    ],
);

/// From goods that come back to money given back. Its id is the return's.
pub const RETURN: Saga = Saga::new(
    "return",
    &[
        payments("refund_payment", refund).pivot(),
        inventory("restock_items", restock),
        local("complete_return"),
    ],
);

/// Every saga that a row of `sagas` may name.
pub const ALL: [&Saga; 2] = [&CHECKOUT, &RETURN];

fn reserve(c: &Facts) -> contracts::saga::Command {
    ReserveStock {
        order_id: c.order,
        items: c.items.clone(),
    }
    .into()
}

fn authorize(c: &Facts) -> contracts::saga::Command {
    AuthorizePayment {
        order_id: c.order,
        payment_id: c.payment,
        user_id: c.user,
        amount: c.amount,
        payment_method: c.payment_method.clone(),
    }
    .into()
}

fn refund(c: &Facts) -> contracts::saga::Command {
    RefundPayment {
        order_id: c.order,
        return_id: c.return_id(),
        amount: c.amount,
        reason: c.reason.clone(),
    }
    .into()
}

fn restock(c: &Facts) -> contracts::saga::Command {
    RestockItems {
        order_id: c.order,
        return_id: c.return_id(),
        items: c.items.clone(),
    }
    .into()
}
