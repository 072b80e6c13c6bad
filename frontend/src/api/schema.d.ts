// Written by `npm run api` from the gateway's /openapi.json; not by hand.
export interface paths {
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the public keys
         * @description Returns the keys that verify access tokens as a JWK set (RFC 7517). The response can be cached for five minutes.
         */
        get: operations["get_jwks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Browse this API document as a page
         * @description Returns an HTML page that shows the API document.
         */
        get: operations["docs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check that the gateway runs
         * @description Returns 200 while the process can respond. Does not check the services.
         */
        get: operations["healthz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get this API document
         * @description Returns the API documents of the services, merged into one. If a service has not responded yet, `info.description` names it as missing.
         */
        get: operations["openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check that the gateway can serve requests
         * @description Returns 200 while the gateway has the keys to verify tokens and is not shutting down; otherwise 503.
         */
        get: operations["readyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/account": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Joined response of several services
         * @description Joined by the gateway from several services: `orders` from `GET /v1/orders?limit=5`; `payments` from `GET /v1/payments?limit=5`; `profile` from `GET /v1/users/me`. A part that is not available is null and named in `degraded`.
         */
        get: operations["account"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check the invariants
         * @description Reads every database and reports each invariant with its violations. A violation is part of the report, not an error.
         *     A report is reused for 5 seconds. Orders that are in progress are left to a later audit. Responds with 503 if a
         *     database is unavailable or the audit takes longer than 8 seconds.
         */
        get: operations["get_audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show the state of the gateway's configuration
         * @description For operators. Returns the digest of the configuration in force and the last attempts to change it, of the gateway replica that handles the request.
         */
        get: operations["config"];
        /**
         * Replace the configuration of the gateway
         * @description For operators. Checks the configuration and replaces the current one, for the gateway replica that handles the request and until its file changes or it restarts. An invalid configuration is refused (422) with the line and column of the error, and the current one stays in force.
         */
        put: operations["put_v1_admin_config"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List unsettled dead letters
         * @description Returns messages that their receiver could not handle and that are neither redriven, deleted nor superseded, newest
         *     first. Such a message usually parks its saga until an operator decides.
         */
        get: operations["list_dead_letters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/dead-letters/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete a dead letter
         * @description Removes the message from the list without sending it again. The saga that awaits it stays parked; retry, resolve or
         *     compensate it instead.
         */
        delete: operations["delete_dead_letter"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/dead-letters/{id}/redrive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a dead letter again
         * @description Sends the message to its queue again, and continues its saga if that is parked. The body, with a reason for the log, is
         *     optional. Fails with 409 if the saga no longer awaits the command; delete the dead letter then.
         */
        post: operations["redrive_dead_letter"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/faults": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the fault switches
         * @description Exists in demo mode only; otherwise it fails with 404.
         */
        get: operations["list_faults"];
        /**
         * Set a fault switch
         * @description Switches a fault on, replacing its previous duration, or off. Every replica follows within a second, and the fault is
         *     switched off automatically at its end. Exists in demo mode only; otherwise it fails with 404.
         */
        put: operations["set_fault"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/metrics-summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get sales, funnel and latest orders
         * @description Returns the figures of the back office's first page, all from one snapshot of the database: sales of the last 24 hours,
         *     best sellers of the last seven days, unfinished work, and the ten newest orders.
         */
        get: operations["get_metrics_summary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/outboxes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the outboxes
         * @description Counts the messages in each outbox. An outbox is normally empty or holds messages that are a fraction of a second old;
         *     a growing age means that the message broker is unavailable. Responds with 503 if a database is unavailable.
         */
        get: operations["list_outboxes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/routes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the routes of the gateway, with their rates and latencies in the last minute
         * @description For operators. Shows the figures of the gateway replica that handles the request. They do not include requests that match no route.
         */
        get: operations["routes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/sagas": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the sagas of all orders
         * @description Returns sagas newest first, optionally only those with one status, such as the parked ones that wait for an operator.
         */
        get: operations["list_sagas"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/sagas/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a saga by its id
         * @description Returns the steps of the saga with their outcomes, attempts and reasons. A checkout has the id of its order, the saga of a
         *     return has the id of the return.
         */
        get: operations["get_any_saga"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/sagas/{id}/compensate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Undo a saga
         * @description Undoes every step that was, or may have been, performed; the order is then cancelled. Only possible before the command
         *     that charges the card is sent (409 afterwards).
         */
        post: operations["compensate_saga"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/sagas/{id}/resolve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resolve a parked saga
         * @description Records how the parked step ended, as the operator has found out, and continues the saga accordingly. Fails with 409 if
         *     the saga is not parked, or if the step cannot be undone and is resolved as `refused`.
         */
        post: operations["resolve_saga"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/sagas/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry a saga's current step
         * @description Sends the awaited command again. Before the pivot, the saga's deadline starts again.
         */
        post: operations["retry_saga"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/sales": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get sales figures
         * @description Returns revenue by hour, best-selling products, how many orders reached each step, and why orders were rejected. Responds
         *     with 422 if the time span is empty, longer than 92 days or malformed.
         */
        get: operations["get_sales"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/admin/upstreams": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the services behind the gateway, with their instances and breakers
         * @description For operators. Shows the counters of the gateway replica that handles the request; they start at zero when it starts.
         */
        get: operations["upstreams"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log in
         * @description Starts a session and returns its tokens. An unknown address, a wrong password, and an unverified or disabled account give
         *     the same response in the same time. After five failed attempts, the client's network address must wait before the next
         *     attempt; after five failures from anywhere, every network address must. A browser in which the owner has logged in
         *     before waits only for its own failures.
         */
        post: operations["log_in"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log out
         * @description Ends the session of a refresh token. The token is taken from the body or, if there is none, from the cookie, which is then
         *     deleted. An unknown token is not an error: its session has ended already.
         */
        post: operations["log_out"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/password-reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Request a password reset
         * @description Sends an email with a link to reset the password, if there is an account with this address. The link can be used once,
         *     within 30 minutes. The response and its timing are the same whether or not there is such an account. An account gets at
         *     most five of these emails in an hour; further requests are accepted but send none.
         */
        post: operations["request_password_reset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/password-reset/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reset the password
         * @description Sets a new password with the token from an email. All sessions and API keys of the account end, and its other reset links
         *     become invalid. The email address counts as verified, and the browser as a known device at its next login. If the
         *     password is refused, the token can still be used.
         */
        post: operations["confirm_password_reset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Refresh a session
         * @description Exchanges a refresh token for a new access token and a new refresh token. The token is taken from the body or, if there
         *     is none, from the cookie, and the new one is returned in the same way. Each token can be used once; using it again ends
         *     the whole session, because the token may have been stolen.
         */
        post: operations["refresh_session"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Register an account
         * @description Registers an account and sends an email with a verification link. The response and its timing are the same whether or not
         *     the address is already registered. If it is, its owner gets an email with a link to reset the password. If it is
         *     registered but not verified, the new name and password replace the previous ones, and only the newest link works. An
         *     account that is not verified within a week is deleted.
         */
        post: operations["register_account"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/verification-mail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Request a verification email
         * @description Sends another email with a verification link, if an account with this address is not verified yet. The response and its
         *     timing are the same whether or not there is such an account. An account gets at most five of these emails in an hour;
         *     further requests are accepted but send none.
         */
        post: operations["request_verification_mail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Verify an email address
         * @description Verifies the email address of a registered account with the token that was sent to it. The owner can log in from then on.
         *     Registering the address again invalidates earlier tokens.
         */
        post: operations["verify_account"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/cart": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the caller's cart
         * @description Returns the SKUs and quantities in the cart; a user who has added nothing has an empty cart.
         *
         *     Joined by the gateway from several services: `availability` from `souk.inventory.v1.Inventory/Availability`; `cart` from `GET /v1/cart`; `products` from `GET /v1/products?limit=100&skus={cart/items/*\/sku}`. A part that is not available is null and named in `degraded`.
         */
        get: operations["get_cart"];
        put?: never;
        post?: never;
        /**
         * Remove everything from the cart
         * @description Succeeds also if the cart is empty.
         */
        delete: operations["clear_cart"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/cart/items/{sku}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set the quantity of a SKU in the cart
         * @description Adds the SKU if it is not in the cart. Whether the product exists is checked only when the cart is displayed or ordered.
         *     A cart has at most 50 lines; adding another SKU to a full cart fails with 422.
         */
        put: operations["put_item"];
        post?: never;
        /**
         * Remove a SKU from the cart
         * @description Succeeds also if the SKU is not in the cart.
         */
        delete: operations["remove_item"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/categories": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the categories
         * @description Returns every category with its number of products, named in English or German, depending on `Accept-Language`.
         *     Responds with 304 if `If-None-Match` names the current list.
         */
        get: operations["list_categories"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/faults": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the active faults
         * @description Returns the faults that an operator has switched on for a demonstration, so that users know why orders are slow or fail.
         *     Needs no access token.
         */
        get: operations["list_active_faults"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/notifications": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List notifications
         * @description Returns the caller's notifications of the last 30 days, newest first, in English or German, depending on
         *     `Accept-Language`.
         */
        get: operations["list_notifications"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/notifications/read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Mark all notifications as read
         * @description Marks every notification of the caller as read. Notifications that are already read keep their time.
         */
        post: operations["read_all_notifications"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/notifications/{id}/read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Mark a notification as read
         * @description Marks one of the caller's notifications as read. Repeating the request has no effect: the time of the first one is kept.
         */
        post: operations["read_notification"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the caller's orders
         * @description Returns orders newest first. An operator who sets `all` gets the orders of all users instead.
         */
        get: operations["list_orders"];
        put?: never;
        /**
         * Place an order
         * @description Responds before anything is reserved or charged; follow the order at `Location`. A repetition with the same key returns the
         *     first response and orders nothing more. Fails with 503 and `Retry-After`, with nothing ordered, while prices are not
         *     available or too many checkouts are waiting for a new one to finish in time.
         */
        post: operations["place_order"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an order by its id
         * @description Returns the order with its lines, shipment and returns. Shoppers see their own orders, operators see every order.
         *
         *     Joined by the gateway from several services: `order` from `GET /v1/orders/{id}`; `payment` from `GET /v1/payments?order_id={id}`; `products` from `GET /v1/products?limit=100&skus={order/lines/*\/sku}`; `saga` from `GET /v1/orders/{id}/saga`. A part that is not available is null and named in `degraded`.
         */
        get: operations["get_order"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel an order
         * @description Responds as soon as the cancellation has started. The order becomes `cancelled` once the items are released and the payment
         *     is voided. An order whose payment is being captured can no longer be cancelled (409); return its items instead. Shoppers
         *     can cancel their own orders, operators can cancel any order. Repeating the request has no further effect.
         */
        post: operations["cancel_order"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Mark an order as delivered
         * @description Changes the status from `shipped` to `delivered`. Needs no request body; one that is sent is ignored.
         */
        post: operations["deliver_order"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow an order
         * @description Streams Server-Sent Events: first `event: snapshot` with an `OrderSnapshot`, then `event: change` with an `OrderChange` for
         *     each later event of the order, in order. The `id` is the number of the event. With `Last-Event-ID`, the stream starts with
         *     the changes since that event instead of a snapshot. A comment is sent every 15 seconds as a heartbeat. The stream ends
         *     when the access token expires or the replica stops: reconnect with a new token and the last id. A user can have 20 open
         *     streams per replica.
         */
        get: operations["stream_order_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/returns": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Return items of an order
         * @description If the order has not been shipped, the refund starts at once, and the items are restocked. If it has, the return stays
         *     `requested` until an operator confirms that the items have arrived. While a return is open, the order cannot be shipped.
         *     Once every item has been returned, the order is `returned`. A repetition with the same key returns the first response
         *     and returns nothing more.
         */
        post: operations["create_return"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/returns/{return_id}/receipt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm the receipt of returned items
         * @description Changes the status of a return that needs a receipt from `requested` to `received`, and starts its refund; after that, the
         *     items are restocked. Needs no request body; one that is sent is ignored.
         */
        post: operations["confirm_receipt"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/returns/{return_id}/refusal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Refuse a return
         * @description Changes the status of a return that needs a receipt from `requested` to `refused`. Nothing is refunded, and the items can be
         *     returned again. Returns of items that were never shipped cannot be refused, because they are refunded at once.
         */
        post: operations["refuse_return"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/saga": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the sagas of an order
         * @description Returns the steps of the order's checkout, and of each of its returns whose refund has started. Shoppers see their own
         *     orders, operators see every order.
         */
        get: operations["get_saga"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}/shipments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ship an order
         * @description Changes the status from `confirmed` to `shipped`. An order cannot be shipped while one of its returns is open, nor after it
         *     has been refunded in full.
         */
        post: operations["ship_order"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/payment-methods": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List payment methods
         * @description Lists the test cards of the simulated payment provider. The response can be cached for five minutes.
         */
        get: operations["list_payment_methods"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/payments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List payments
         * @description Lists payments with their refunds, newest first. Shoppers see their own payments, operators see all.
         */
        get: operations["list_payments"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/payments/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a payment
         * @description Returns a payment with its refunds. Shoppers can read their own payments, operators can read all.
         */
        get: operations["get_payment"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/payments/{id}/refunds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Refund a payment
         * @description For operators only; shoppers are refunded by returning items. The refund is recorded as pending and requested from the
         *     payment provider, which usually confirms it within two seconds; read the payment to see the result. A repetition with
         *     the same key returns the first response and refunds nothing more.
         */
        post: operations["create_refund"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/products": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List products
         * @description Searches, filters and sorts the catalog, and returns one page with facets. Texts are in English or German, depending on
         *     `Accept-Language`. Responds with 422 if a parameter is invalid or unknown, or if the cursor belongs to another query.
         */
        get: operations["list_products"];
        put?: never;
        /**
         * Add a product
         * @description Adds a product to the catalog. A new SKU starts without stock; a SKU that was removed before keeps its units. Responds with
         *     409 if a product with this SKU exists, and with 422 if a field is invalid.
         */
        post: operations["create_product"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/products/{sku}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a product
         * @description Returns one product in English or German, depending on `Accept-Language`. English is used if there is no translation.
         *     Responds with 304 if `If-None-Match` names the current version.
         */
        get: operations["get_product"];
        put?: never;
        post?: never;
        /**
         * Remove a product
         * @description Removes a product from the catalog, so that it can no longer be ordered. Its units and movements are kept and are available
         *     again if the SKU is added again. Responds with 409 while orders hold units of the product, with 428 without `If-Match`, and
         *     with 412 if the product has changed since it was read.
         */
        delete: operations["delete_product"];
        options?: never;
        head?: never;
        /**
         * Change a product
         * @description Changes the given fields and increments the version. Returns the product in English. Responds with 428 without
         *     `If-Match`, with 412 if the product has changed since it was read, and with 422 if a field is invalid.
         */
        patch: operations["update_product"];
        trace?: never;
    };
    "/v1/products/{sku}/availability": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Call souk.inventory.v1.Inventory/Availability as JSON
         * @description Calls the gRPC method `souk.inventory.v1.Inventory/Availability` and returns its reply as JSON. gRPC statuses become HTTP ones, for example `NOT_FOUND` becomes 404.
         */
        get: operations["availability"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/products/{sku}/image.svg": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the drawn image of a product
         * @description Returns an SVG of 400 × 400 pixels that is derived from the SKU, the category and the name. It exists even for products
         *     that have an image of their own. Responds with 304 if `If-None-Match` names the current image.
         */
        get: operations["get_image"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/products/{sku}/stock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the stock of a product
         * @description Returns how many units are in the warehouse, available, and held for orders, and the totals sold and returned.
         */
        get: operations["get_stock"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/products/{sku}/stock-adjustments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Adjust the stock of a product
         * @description Adds or removes units that are in the warehouse, and returns the new levels. Responds with 409 if more units would be
         *     removed than are available. The `Idempotency-Key` is scoped to one user and one product: a repeated request takes effect
         *     once and gets the same response, with the header `idempotency-replayed: true`.
         */
        post: operations["adjust_stock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List accounts
         * @description Lists all accounts, newest first. For operators only.
         */
        get: operations["list_users"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get my account
         * @description Returns the caller's account.
         */
        get: operations["get_me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change my account
         * @description Changes the caller's account and returns it. API keys cannot be used for this.
         */
        patch: operations["patch_me"];
        trace?: never;
    };
    "/v1/users/me/addresses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List my addresses
         * @description Lists the caller's saved addresses, oldest first.
         */
        get: operations["list_addresses"];
        put?: never;
        /**
         * Add an address
         * @description Saves a shipping address. An account can have up to 50. Requires a login or an API key with the scope `order`.
         */
        post: operations["post_address"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me/addresses/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Replace an address
         * @description Replaces all fields of a saved address. Orders keep the address with which they were placed. Requires a login or an API
         *     key with the scope `order`.
         */
        put: operations["put_address"];
        post?: never;
        /**
         * Delete an address
         * @description Deletes a saved address. Orders keep the address with which they were placed. Requires a login or an API key with the
         *     scope `order`.
         */
        delete: operations["delete_address"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List my API keys
         * @description Lists the caller's API keys without their secrets, oldest first. Expired keys are included until they are deleted.
         */
        get: operations["list_api_keys"];
        put?: never;
        /**
         * Create an API key
         * @description Creates an API key and returns its secret, which cannot be retrieved later. API keys cannot be used for this: a key cannot
         *     create keys.
         */
        post: operations["post_api_key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me/api-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete an API key
         * @description Deletes one of the caller's API keys, which the gateway then refuses within seconds. API keys cannot be used for this.
         */
        delete: operations["delete_api_key"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Change my password
         * @description Sets a new password after verifying the current one. All other sessions end, and all API keys are deleted unless the request
         *     keeps them. Wrong current passwords are throttled like failed logins, but only for this session. API keys cannot be used
         *     for this.
         */
        put: operations["put_password"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/me/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List my sessions
         * @description Lists the sessions in which the caller is logged in, newest first.
         */
        get: operations["list_sessions"];
        put?: never;
        post?: never;
        /**
         * End all my sessions
         * @description Ends all sessions of the caller, including this one, and deletes the browser's session cookie. Access tokens remain valid
         *     until they expire, within ten minutes. API keys are not affected, and cannot be used for this.
         */
        delete: operations["delete_sessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change an account
         * @description Changes the roles of an account, or disables or enables it. For operators only, and not for their own account. New roles
         *     take effect with the account's next access token, within ten minutes. The change is recorded with its reason.
         */
        patch: operations["patch_user"];
        trace?: never;
    };
    "/v1/webhooks/psp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Receive an event of the payment provider
         * @description Updates the payment or refund that the event is about. Duplicates and events of unknown types are acknowledged without
         *     effect. The signature is an HMAC-SHA256 over the time of sending and the raw body, and is valid for five minutes.
         */
        post: operations["receive_webhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description Confirms that a request was accepted. Its outcome is sent by email only. */
        Accepted: {
            /**
             * @description Result of the request, always `accepted`.
             * @example accepted
             */
            status: string;
        };
        /** @description The reason for an operator's action. */
        ActionReason: {
            /**
             * @description Reason for the log: 1 to 500 characters, not counting leading and trailing white space.
             * @example The participant was down; see ticket 7.
             */
            reason: string;
        };
        /** @description A fault that an operator has switched on. */
        ActiveFault: {
            /** @description Name of the fault. */
            name: components["schemas"]["Fault"];
            /**
             * @description Short title of the fault, in English.
             * @example Payments is unreachable
             */
            title: string;
            /**
             * Format: date-time
             * @description Time at which the fault is switched off automatically.
             */
            until: string;
        };
        /** @description The faults that are switched on at the moment. */
        ActiveFaults: {
            /** @description One entry for each active fault. Always empty outside demo mode. */
            items: components["schemas"]["ActiveFault"][];
        };
        /** @description A postal address. Deserializing checks only its shape; request handlers validate it with [`Address::problems`]. */
        Address: {
            /**
             * @description Town or city, 1 to 200 characters.
             * @example Berlin
             */
            city: string;
            /**
             * @description Country code: two capital letters (ISO 3166-1 alpha-2).
             * @example DE
             */
            country: string;
            /**
             * @description Street and house number, 1 to 200 characters.
             * @example 12 St James's Square
             */
            line1: string;
            /** @description Second address line, such as floor, flat or company, at most 200 characters. */
            line2?: string | null;
            /**
             * @description Full name of the recipient, 1 to 200 characters.
             * @example Ada Lovelace
             */
            name: string;
            /** @description Telephone number for the carrier in any notation, at most 200 characters. */
            phone?: string | null;
            /**
             * @description Postal code in the notation of its country, 1 to 200 characters.
             * @example 10115
             */
            postal_code: string;
            /** @description State, province or county, at most 200 characters. */
            region?: string | null;
        };
        /** @description An API key of the caller, without its secret. */
        ApiKey: {
            /**
             * Format: date-time
             * @description Time at which the key was created.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description Time at which the key expires. It is deleted 30 days later.
             */
            expires_at: string;
            /**
             * Format: uuid
             * @description Id of the key.
             */
            id: string;
            /**
             * Format: date-time
             * @description Time of the last use, to the minute; null if the key was never used.
             */
            last_used_at?: string | null;
            /**
             * @description Name chosen by the owner.
             * @example Nightly backup
             */
            name: string;
            /**
             * @description First characters of the secret, to recognize the key by.
             * @example souk_ak_0sVn2Q
             */
            prefix: string;
            /** @description Scopes of the key; they determine what it may be used for. */
            scopes: components["schemas"]["Scope"][];
        };
        /** @description Sales of one product in one currency. */
        BestSeller: {
            /**
             * @description Slug of the product's category; absent if the catalog event of the product is missing.
             * @example tea
             */
            category?: string | null;
            /**
             * @description Current name of the product, or its name in the order if the catalog event is missing.
             * @example Sencha Green Tea
             */
            name: string;
            /**
             * Format: int64
             * @description Number of units sold.
             * @example 42
             */
            quantity: number;
            /** @description Total price of those units. */
            revenue: components["schemas"]["Money"];
            /**
             * @description SKU of the product.
             * @example TEA-0001
             */
            sku: string;
        };
        /** @description A request to cancel an order. */
        CancelOrder: {
            /**
             * @description Reason for the cancellation, shown with the order: 1 to 500 characters, not counting leading and trailing white
             *     space. Optional.
             * @example I ordered the wrong size.
             */
            reason?: string | null;
        };
        /** @description The items that a shopper intends to order. */
        Cart: {
            /** @description The lines of the cart, sorted by SKU. Each SKU occurs once. */
            items: components["schemas"]["OrderItem"][];
        };
        /** @description Every category of the catalog on a single page. */
        Categories: {
            /** @description The categories in the order in which the shop shows them. */
            items: components["schemas"]["Category"][];
            /** @description Always null, because there is only one page. */
            next_cursor?: string | null;
        };
        /** @description A category of the catalog. */
        Category: {
            /**
             * @description Name of the category in the language of the response.
             * @example Tea
             */
            name: string;
            /**
             * Format: int64
             * @description Number of products in the category.
             * @example 10
             */
            products: number;
            /**
             * @description Key of the category, for use in URLs and filters.
             * @example tea
             */
            slug: string;
        };
        /** @description The number of matching products in one category. */
        CategoryCount: {
            /**
             * Format: int64
             * @description Number of matching products; may be 0.
             * @example 10
             */
            count: number;
            /**
             * @description Name of the category in the language of the response.
             * @example Tea
             */
            name: string;
            /**
             * @description Key of the category, for use in URLs and filters.
             * @example tea
             */
            slug: string;
        };
        /**
         * Format: uuid
         * @description Identifies a command of a saga. It is the same each time the command is sent, see [`CommandId::derive`].
         */
        CommandId: string;
        /** @description The token from the email, and the new password. */
        ConfirmPasswordReset: {
            /**
             * Format: password
             * @description The new password, 15 to 128 characters. Common passwords, short pieces that repeat (`abcabcabcabcabc`), and the email
             *     address with little added are refused.
             * @example seven kettles on a blue shelf
             */
            password: string;
            /**
             * @description The token from the link in the email. It can be used once, within 30 minutes.
             * @example souk_pr_0sVn2Qf7pYx3mK9aTzR1cWd5hLg8uEjBiOoNqXvS4kw
             */
            token: string;
        };
        /** @description A refund to create. Without an amount, everything that can still be refunded is. */
        CreateRefund: {
            /**
             * @description Amount to refund, above zero and in the currency of the payment. If absent or null, everything that can still be refunded.
             * @example {
             *       "amount": 400,
             *       "currency": "EUR"
             *     }
             */
            amount?: null | (components["schemas"]["Money"] & {
                amount?: number;
            });
            /**
             * @description Reason for the refund, shown to the shopper: 1 to 500 characters, not counting leading and trailing white space,
             *     and no control characters.
             * @example The cup arrived broken.
             */
            reason: string;
        };
        /** @description A return to request. */
        CreateReturn: {
            /** @description Items to return: 1 to 50 lines, each SKU at most once, and no more than were bought and not returned yet. */
            lines: components["schemas"]["OrderItem"][];
            /**
             * @description Reason for the return: 1 to 500 characters, not counting leading and trailing white space.
             * @example The cup has the wrong colour.
             */
            reason: string;
        };
        /**
         * @description A currency code: three capital letters (ISO 4217).
         * @example EUR
         */
        Currency: string;
        /** @description A message that its receiver could not handle. */
        DeadLetter: {
            /**
             * Format: int32
             * @description Number of times the receiver tried to handle the message.
             */
            attempts: number;
            /** @description Body of the message, usually JSON. Bytes that are not UTF-8 are shown as U+FFFD. */
            body: string;
            /**
             * Format: date-time
             * @description Time at which the message was stored as a dead letter.
             */
            died_at: string;
            /**
             * Format: uuid
             * @description Id of the dead letter, to redrive or delete it.
             */
            id: string;
            /**
             * @description Type of the message.
             * @example payments.authorize_payment.v1
             */
            kind: string;
            /**
             * Format: uuid
             * @description Id that the sender gave the message. The id of a command is the same in every attempt.
             */
            message_id: string;
            /**
             * @description Queue to which the message was sent, and will be sent again by a redrive.
             * @example payments
             */
            queue: string;
            /** @description Error that the receiver reported last. */
            reason: string;
            /**
             * Format: uuid
             * @description Id of the saga that sent or awaits the message.
             */
            saga_id: string;
        };
        /** @description Counts over all products that match the query. */
        Facets: {
            /** @description Number of matching products in every category, in the shop's order. */
            categories: components["schemas"]["CategoryCount"][];
            /**
             * Format: int64
             * @description Number of matching products that are in stock.
             */
            in_stock: number;
            /** @description Lowest and highest price of the matching products. */
            price: components["schemas"]["PriceRange"];
        };
        /**
         * @description A fault that can be switched on.
         * @enum {string}
         */
        Fault: "inventory_unreachable" | "payments_unreachable" | "commands_duplicated" | "replies_lost" | "quotes_unavailable";
        /** @description Every fault switch, on or off. */
        FaultList: {
            /** @description One entry for each fault that can be switched on. */
            items: components["schemas"]["FaultView"][];
        };
        /** @description A fault switch and its current state. */
        FaultView: {
            /** @description What the fault does, and what can be observed while it is on. */
            description: string;
            /** @description Name of the fault. */
            name: components["schemas"]["Fault"];
            /** @description Reason that the operator gave. Null while it is off. */
            reason?: string | null;
            set_by?: components["schemas"]["UserId"] | null;
            /**
             * @description Short title of the fault, in English.
             * @example Payments is unreachable
             */
            title: string;
            /**
             * Format: date-time
             * @description Time at which the switch turns off automatically. Null while it is off.
             */
            until?: string | null;
        };
        /** @description An invalid field of a request. */
        FieldError: {
            /**
             * @description Describes what is expected of the field, for a person.
             * @example must be a whole number from 1 to 99
             */
            detail: string;
            /**
             * @description JSON pointer to the field in the body, such as `/items/0/quantity`. For a query parameter, `/` and its name.
             * @example /items/0/quantity
             */
            pointer: string;
        };
        /**
         * @description The status of an order's items.
         * @enum {string}
         */
        FulfilmentStatus: "unfulfilled" | "reserved" | "shipped" | "delivered" | "returned" | "cancelled";
        /** @description Number of orders that have reached each stage of the checkout. */
        Funnel: {
            /**
             * Format: int64
             * @description Number of orders whose payment was authorized.
             */
            authorized: number;
            /**
             * Format: int64
             * @description Number of orders whose payment was captured.
             */
            captured: number;
            /**
             * Format: int64
             * @description Number of orders that were confirmed.
             */
            confirmed: number;
            /**
             * Format: int64
             * @description Number of orders that were placed.
             */
            placed: number;
            /**
             * Format: int64
             * @description Number of orders whose items were reserved.
             */
            reserved: number;
        };
        /** @description Sales of one hour in one currency. */
        Hour: {
            /**
             * Format: date-time
             * @description Start of the hour (UTC).
             */
            begins_at: string;
            /**
             * Format: int64
             * @description Number of orders that were confirmed in this hour.
             * @example 12
             */
            orders: number;
            /** @description Total amount that was refunded in this hour, for orders of any time. */
            refunded: components["schemas"]["Money"];
            /** @description Total captured amount of those orders. */
            revenue: components["schemas"]["Money"];
        };
        /** @description The result of checking one invariant. */
        Invariant: {
            /** @description Number of items that were checked, such as orders or ledger transactions. */
            checked: number;
            /**
             * @description Stable identifier of the invariant; also the `invariant` label of the metric `audit_invariant_violations`.
             * @example ledger_balances
             */
            name: string;
            /**
             * Format: int32
             * @description Number of the invariant in the list of Souk's invariants. Several entries share a number if the invariant has
             *     several parts.
             * @example 1
             */
            number: number;
            /**
             * @description Why the invariant was not checked; absent if it was.
             * @example no Kafka is configured
             */
            skipped?: string | null;
            /**
             * @description The invariant as a short sentence for operators.
             * @example the ledger balances
             */
            title: string;
            /** @description Number of violations found; may exceed the length of `violations`. */
            violated: number;
            /** @description One sentence for each of the first 50 violations. */
            violations: string[];
        };
        /** @description A product in a list, with its current stock. */
        ListedProduct: components["schemas"]["Product"] & {
            /**
             * Format: int64
             * @description Number of units that can be ordered now.
             * @example 42
             */
            available: number;
            /** @description Whether at least one unit can be ordered now. */
            in_stock: boolean;
        };
        /** @description Credentials, and how to return the refresh token. */
        LoginRequest: {
            /**
             * @description Email address of the account.
             * @example demo@souk.test
             */
            email: string;
            /**
             * Format: password
             * @description Password of the account.
             * @example demo-password-souk
             */
            password: string;
            /** @description How to return the refresh token. Default: `token`. */
            session?: components["schemas"]["Transport"];
        };
        /** @description The address to which an email is sent, if it belongs to an account. */
        MailRequest: {
            /**
             * Format: email
             * @description Email address of the account. Case and surrounding white space are ignored.
             * @example ada@example.com
             */
            email: string;
        };
        /** @description Sales of the last 24 hours, and work in progress. */
        MetricsSummary: {
            /** @description The five products that sold best in the last seven days. */
            best_sellers: components["schemas"]["orders.BestSeller"][];
            /**
             * Format: int64
             * @description Number of unsettled dead letters.
             */
            dead_letters: number;
            /** @description How far the orders since then have come in the checkout. */
            funnel: components["schemas"]["Funnel"];
            /** @description The ten newest orders, whenever they were placed. */
            latest: components["schemas"]["Order"][];
            /** @description Number of orders placed since then, by status. */
            orders: components["schemas"]["OrderCounts"];
            /** @description Messages that are not published to the broker yet. */
            outbox: components["schemas"]["OutboxFigures"];
            /** @description Number of rejected orders for each reason, the most frequent reason first. */
            rejected_by_reason: components["schemas"]["ReasonCount"][];
            /** @description Revenue of each hour, in each currency that occurs. Empty if no order was paid. */
            revenue: components["schemas"]["RevenueHour"][];
            /** @description Number of sagas that have not ended, whenever they started. */
            sagas: components["schemas"]["SagaFigures"];
            /**
             * Format: date-time
             * @description Start of the hour 23 hours ago. The figures cover the orders placed since then, unless they say otherwise.
             */
            since: string;
        };
        /** @description An amount in minor units (cents for EUR, yen for JPY) of one currency. */
        Money: {
            /**
             * Format: int64
             * @description Amount in minor units of the currency. Negative only where the field that contains it allows it.
             * @example 1999
             */
            amount: number;
            /** @description Currency of the amount (ISO 4217). */
            currency: components["schemas"]["Currency"];
        };
        /** @description A new API key, with its secret. */
        NewApiKey: components["schemas"]["ApiKey"] & {
            /** @description The secret, to send in the header `x-api-key`. It is returned only here. */
            key: string;
        };
        /**
         * @description A product to add to the catalog.
         * @example {
         *       "attributes": {
         *         "origin": "Japan",
         *         "weight": "100 g"
         *       },
         *       "category": "tea",
         *       "description": "First flush from Uji, 100 g.",
         *       "name": "Sencha Green Tea",
         *       "price": {
         *         "amount": 1490,
         *         "currency": "EUR"
         *       },
         *       "sku": "TEA-0042",
         *       "translations": {
         *         "de": {
         *           "description": "Erste Ernte aus Uji, 100 g.",
         *           "name": "Sencha Grüntee"
         *         }
         *       }
         *     }
         */
        NewProduct: {
            /**
             * @description Further properties as pairs of name and value, at most 20. A name has 1 to 50 letters, digits, spaces, `_` or `-`; a
             *     value has at most 200 characters.
             */
            attributes?: {
                [key: string]: string;
            };
            /**
             * @description Slug of an existing category.
             * @example tea
             */
            category: string;
            /**
             * @description Description in English; may be empty.
             * @example First flush from Uji, 100 g.
             */
            description: string;
            /**
             * @description An `https` URL or an absolute path of the product's image, in visible ASCII characters. If it is absent or null, Souk
             *     draws an image.
             */
            image?: string | null;
            /**
             * @description Name in English, without control characters and not only spaces.
             * @example Sencha Green Tea
             */
            name: string;
            /** @description Price of one unit, from 1 to 100000000000 minor units. */
            price: components["schemas"]["Money"];
            /** @description SKU of the product, which is its key and cannot be changed. */
            sku: components["schemas"]["Sku"];
            /** @description Texts of the product in languages other than English. */
            translations?: components["schemas"]["Translations"];
        };
        /** @description A notification about the user's account or one of their orders. */
        Notification: {
            /**
             * Format: date-time
             * @description Time of the event that caused the notification (UTC).
             */
            created_at: string;
            /**
             * Format: uuid
             * @description Id of the notification.
             */
            id: string;
            /**
             * @description Machine-readable kind: `welcome`, `password_changed`, `order_confirmed`, `order_rejected`, `order_cancelled`,
             *     `order_shipped`, `order_delivered`, `return_requested`, `return_received`, `return_refused` or `payment_refunded`. More
             *     kinds may be added.
             * @example order_shipped
             */
            kind: string;
            order_id?: components["schemas"]["OrderId"] | null;
            /**
             * Format: date-time
             * @description Time at which the notification was marked as read (UTC); absent if it is unread.
             */
            read_at?: string | null;
            /**
             * @description Text in the language of the response, English or German.
             * @example With Parcel Co, tracking number PC 1.
             */
            text: string;
            /**
             * @description Title in the language of the response, English or German.
             * @example Your order is on its way
             */
            title: string;
        };
        /** @description One page of notifications, and the number of unread ones. */
        NotificationList: {
            /** @description The notifications of this page, newest first. */
            items: components["schemas"]["Notification"][];
            /** @description Pass this as `cursor` to get the next page. Null on the last page. */
            next_cursor?: string | null;
            /**
             * Format: int64
             * @description Number of unread notifications in the whole list, not only on this page.
             * @example 2
             */
            unread: number;
        };
        /** @description An order with its lines, shipment and returns. */
        Order: {
            /**
             * Format: date-time
             * @description Time at which the order was placed.
             */
            created_at: string;
            /** @description Status of the order's items. */
            fulfilment_status: components["schemas"]["FulfilmentStatus"];
            /** @description Id of the order, which is also the id of its checkout saga. */
            id: components["schemas"]["OrderId"];
            /** @description The ordered items, with the names and prices at the time of the order. */
            lines: components["schemas"]["OrderLine"][];
            /** @description Id of the payment. The payment exists in payments once its authorization has been requested. */
            payment_id: components["schemas"]["PaymentId"];
            /**
             * @description The payment provider's token of the payment method.
             * @example pm_card_ok
             */
            payment_method: string;
            /** @description Status of the order's payment. */
            payment_status: components["schemas"]["PaymentStatus"];
            /**
             * @description Why the order was rejected (`out_of_stock`, `payment_declined`, `timeout`), or the reason that was given for its
             *     cancellation. Absent for other orders.
             */
            reason?: string | null;
            /** @description The returns of this order, oldest first. */
            returns: components["schemas"]["Return"][];
            shipment?: components["schemas"]["Shipment"] | null;
            /** @description Address to which the items are shipped. */
            shipping_address: components["schemas"]["Address"];
            /** @description Status of the order. */
            status: components["schemas"]["OrderStatus"];
            /** @description Total price, the sum of the lines. */
            total: components["schemas"]["Money"];
            /** @description Id of the trace in which the order was placed. */
            trace_id?: string | null;
            /**
             * Format: date-time
             * @description Time of the order's last change.
             */
            updated_at: string;
            /** @description The user who placed the order. */
            user_id: components["schemas"]["UserId"];
        };
        /**
         * @description The data of `event: change`: one event of the order. When several events are sent together, only the last of them carries
         *     the state of the order and of its sagas.
         */
        OrderChange: {
            /**
             * Format: date-time
             * @description Time at which the event happened.
             */
            at: string;
            /**
             * @description Details of the event. If a saga has moved: `saga_id`, `step`, `direction`, `outcome`, `attempt`, `saga_status`, and
             *     `next`, the step whose command was sent. If the order has changed: `status`, `payment_status` and
             *     `fulfilment_status`.
             */
            data: Record<string, never>;
            order?: components["schemas"]["Order"] | null;
            saga?: components["schemas"]["OrderSagas"] | null;
            /**
             * @description Type of the event, such as `payment_authorized`. It is `saga_progressed` if only a saga has moved, for example by a
             *     resend, and the order itself is unchanged.
             * @example payment_authorized
             */
            type: string;
        };
        /** @description Number of orders in total and in each status. */
        OrderCounts: {
            /** @description Number of orders in each status; 0 if no order has it. */
            by_status: {
                [key: string]: number;
            };
            /**
             * Format: int64
             * @description Number of orders in every status together.
             */
            total: number;
        };
        /**
         * Format: uuid
         * @description Identifies an order. Inventory and payments use it as the key of their part of the order.
         */
        OrderId: string;
        /** @description A SKU and the quantity to order. */
        OrderItem: {
            /** @description The number of items to order. */
            quantity: components["schemas"]["Quantity"];
            /** @description The product to order. */
            sku: components["schemas"]["Sku"];
        };
        /** @description A product in an order, with its quantity and price. */
        OrderLine: {
            /** @description Price of the whole line: `unit_price` times `quantity`. */
            line_total: components["schemas"]["Money"];
            /** @description Name of the product at the time of the order. */
            name: string;
            /** @description Number of items of this product, 1 to 99. */
            quantity: components["schemas"]["Quantity"];
            /** @description SKU of the product. */
            sku: components["schemas"]["Sku"];
            /** @description Price of one item at the time of the order. */
            unit_price: components["schemas"]["Money"];
        };
        /** @description The checkout of an order and the sagas of its returns. */
        OrderSagas: components["schemas"]["SagaView"] & {
            /** @description A saga for each return whose refund has started, in the order of the order's `returns`. */
            returns: components["schemas"]["SagaView"][];
        };
        /** @description The data of `event: snapshot`: the current state of the order. */
        OrderSnapshot: {
            /** @description The order at the time of the event `id`. */
            order: components["schemas"]["Order"];
            /** @description The order's checkout, and the sagas of its returns. */
            saga: components["schemas"]["OrderSagas"];
        };
        /**
         * @description The status of an order.
         * @enum {string}
         */
        OrderStatus: "pending" | "confirmed" | "rejected" | "cancelled" | "shipped" | "delivered" | "returned";
        /** @description The number and age of the messages in one service's outbox. */
        Outbox: {
            /**
             * Format: double
             * @description Age of the oldest unpublished message in seconds; 0 if there is none.
             * @example 0.8
             */
            oldest_age_seconds: number;
            /**
             * Format: int64
             * @description Number of messages that have not been published yet.
             * @example 2
             */
            pending: number;
            /**
             * @description Name of the service that owns the outbox.
             * @example orders
             */
            service: string;
        };
        /** @description Messages that are not published to the broker yet. */
        OutboxFigures: {
            /**
             * Format: double
             * @description Age of the oldest message, in seconds. Null if there is none.
             */
            oldest_age_seconds?: number | null;
            /**
             * Format: int64
             * @description Number of messages in the outbox.
             */
            pending: number;
        };
        /** @description The message outboxes of all services that have one. */
        Outboxes: {
            /** @description One entry per outbox, always in the same order. */
            items: components["schemas"]["Outbox"][];
        };
        /** @description One page of a list that is sorted by a unique key. */
        Page_ApiKey: {
            /** @description The items of this page, in the order of the list. */
            items: {
                /**
                 * Format: date-time
                 * @description Time at which the key was created.
                 */
                created_at: string;
                /**
                 * Format: date-time
                 * @description Time at which the key expires. It is deleted 30 days later.
                 */
                expires_at: string;
                /**
                 * Format: uuid
                 * @description Id of the key.
                 */
                id: string;
                /**
                 * Format: date-time
                 * @description Time of the last use, to the minute; null if the key was never used.
                 */
                last_used_at?: string | null;
                /**
                 * @description Name chosen by the owner.
                 * @example Nightly backup
                 */
                name: string;
                /**
                 * @description First characters of the secret, to recognize the key by.
                 * @example souk_ak_0sVn2Q
                 */
                prefix: string;
                /** @description Scopes of the key; they determine what it may be used for. */
                scopes: components["schemas"]["Scope"][];
            }[];
            /** @description Pass this as `cursor` to get the next page. Null on the last page. */
            next_cursor?: string | null;
        };
        /** @description One page of a list that is sorted by a unique key. */
        Page_DeadLetter: {
            /** @description The items of this page, in the order of the list. */
            items: {
                /**
                 * Format: int32
                 * @description Number of times the receiver tried to handle the message.
                 */
                attempts: number;
                /** @description Body of the message, usually JSON. Bytes that are not UTF-8 are shown as U+FFFD. */
                body: string;
                /**
                 * Format: date-time
                 * @description Time at which the message was stored as a dead letter.
                 */
                died_at: string;
                /**
                 * Format: uuid
                 * @description Id of the dead letter, to redrive or delete it.
                 */
                id: string;
                /**
                 * @description Type of the message.
                 * @example payments.authorize_payment.v1
                 */
                kind: string;
                /**
                 * Format: uuid
                 * @description Id that the sender gave the message. The id of a command is the same in every attempt.
                 */
                message_id: string;
                /**
                 * @description Queue to which the message was sent, and will be sent again by a redrive.
                 * @example payments
                 */
                queue: string;
                /** @description Error that the receiver reported last. */
                reason: string;
                /**
                 * Format: uuid
                 * @description Id of the saga that sent or awaits the message.
                 */
                saga_id: string;
            }[];
            /** @description Pass this as `cursor` to get the next page. Null on the last page. */
            next_cursor?: string | null;
        };
        /** @description One page of a list that is sorted by a unique key. */
        Page_Order: {
            /** @description The items of this page, in the order of the list. */
            items: {
                /**
                 * Format: date-time
                 * @description Time at which the order was placed.
                 */
                created_at: string;
                /** @description Status of the order's items. */
                fulfilment_status: components["schemas"]["FulfilmentStatus"];
                /** @description Id of the order, which is also the id of its checkout saga. */
                id: components["schemas"]["OrderId"];
                /** @description The ordered items, with the names and prices at the time of the order. */
                lines: components["schemas"]["OrderLine"][];
                /** @description Id of the payment. The payment exists in payments once its authorization has been requested. */
                payment_id: components["schemas"]["PaymentId"];
                /**
                 * @description The payment provider's token of the payment method.
                 * @example pm_card_ok
                 */
                payment_method: string;
                /** @description Status of the order's payment. */
                payment_status: components["schemas"]["PaymentStatus"];
                /**
                 * @description Why the order was rejected (`out_of_stock`, `payment_declined`, `timeout`), or the reason that was given for its
                 *     cancellation. Absent for other orders.
                 */
                reason?: string | null;
                /** @description The returns of this order, oldest first. */
                returns: components["schemas"]["Return"][];
                shipment?: components["schemas"]["Shipment"] | null;
                /** @description Address to which the items are shipped. */
                shipping_address: components["schemas"]["Address"];
                /** @description Status of the order. */
                status: components["schemas"]["OrderStatus"];
                /** @description Total price, the sum of the lines. */
                total: components["schemas"]["Money"];
                /** @description Id of the trace in which the order was placed. */
                trace_id?: string | null;
                /**
                 * Format: date-time
                 * @description Time of the order's last change.
                 */
                updated_at: string;
                /** @description The user who placed the order. */
                user_id: components["schemas"]["UserId"];
            }[];
            /** @description Pass this as `cursor` to get the next page. Null on the last page. */
            next_cursor?: string | null;
        };
        /** @description One page of a list that is sorted by a unique key. */
        Page_Payment: {
            /** @description The items of this page, in the order of the list. */
            items: {
                /** @description Amount reserved on the card; zero until the authorization succeeds. */
                authorized: components["schemas"]["Money"];
                /** @description Amount charged to the card; zero until the capture succeeds. */
                captured: components["schemas"]["Money"];
                /**
                 * Format: date-time
                 * @description Time at which the payment was requested.
                 */
                created_at: string;
                failure?: components["schemas"]["PaymentFailure"] | null;
                /** @description Id of the payment. */
                id: components["schemas"]["PaymentId"];
                /** @description Id of the order that is paid; an order has exactly one payment. */
                order_id: components["schemas"]["OrderId"];
                /**
                 * @description The provider's token of the card.
                 * @example pm_card_ok
                 */
                payment_method: string;
                /** @description Sum of all refunds that have succeeded. */
                refunded: components["schemas"]["Money"];
                /** @description All refunds of the payment, oldest first. */
                refunds: components["schemas"]["Refund"][];
                /** @description Current status of the payment. */
                status: components["schemas"]["payments.PaymentStatus"];
                /**
                 * Format: date-time
                 * @description Time of the last change.
                 */
                updated_at: string;
            }[];
            /** @description Pass this as `cursor` to get the next page. Null on the last page. */
            next_cursor?: string | null;
        };
        /** @description One page of a list that is sorted by a unique key. */
        Page_SagaSummary: {
            /** @description The items of this page, in the order of the list. */
            items: {
                /**
                 * Format: int32
                 * @description Number of times the step's command was sent; 0 while a checkout waits because too many others are in flight.
                 */
                attempts: number;
                awaiting?: components["schemas"]["CommandId"] | null;
                /**
                 * Format: date-time
                 * @description Time at which the saga started.
                 */
                created_at: string;
                /**
                 * @description Kind of the saga: `checkout` or `return`.
                 * @example checkout
                 */
                definition: string;
                /**
                 * @description Whether the step is performed (`do`) or undone (`undo`).
                 * @example do
                 */
                direction: string;
                /** @description Id of the saga. A checkout has the id of its order, the saga of a return has the id of the return. */
                id: components["schemas"]["SagaId"];
                /** @description The last problem, such as a refusal or a missing reply. */
                last_error?: string | null;
                /** @description Id of the order that the saga works on. */
                order_id: components["schemas"]["OrderId"];
                /** @description Reason why the saga is waiting for an operator. Null unless it is parked. */
                parked_reason?: string | null;
                /**
                 * @description Status: `running`, `compensating`, `completed`, `compensated` or `parked`.
                 * @example parked
                 */
                status: string;
                /**
                 * @description Name of the current step; for a saga that has ended, of its last one.
                 * @example commit_stock
                 */
                step: string;
                /**
                 * Format: date-time
                 * @description Time at which the saga last moved.
                 */
                updated_at: string;
            }[];
            /** @description Pass this as `cursor` to get the next page. Null on the last page. */
            next_cursor?: string | null;
        };
        /** @description One page of a list that is sorted by a unique key. */
        Page_SavedAddress: {
            /** @description The items of this page, in the order of the list. */
            items: {
                /** @description Name of the town or city. */
                city: string;
                /**
                 * @description Country, as an ISO 3166-1 alpha-2 code.
                 * @example DE
                 */
                country: string;
                /**
                 * Format: date-time
                 * @description Time at which the address was saved.
                 */
                created_at: string;
                /**
                 * Format: uuid
                 * @description Id of the saved address.
                 */
                id: string;
                /** @description Street and house number. */
                line1: string;
                /** @description Further details, such as floor, flat or company. */
                line2?: string | null;
                /** @description Name of the recipient. */
                name: string;
                /** @description Telephone number of the recipient, in any format. */
                phone?: string | null;
                /** @description Postal code, in the country's own format. */
                postal_code: string;
                /** @description State, province or county, where it is part of the address. */
                region?: string | null;
                /**
                 * Format: date-time
                 * @description Time of the last change.
                 */
                updated_at: string;
            }[];
            /** @description Pass this as `cursor` to get the next page. Null on the last page. */
            next_cursor?: string | null;
        };
        /** @description One page of a list that is sorted by a unique key. */
        Page_Session: {
            /** @description The items of this page, in the order of the list. */
            items: {
                /**
                 * Format: date-time
                 * @description Time of the login.
                 */
                created_at: string;
                /** @description Whether this request belongs to the session. */
                current: boolean;
                /**
                 * Format: date-time
                 * @description Time at which the session ends at the latest, 90 days after the login.
                 */
                expires_at: string;
                /**
                 * Format: uuid
                 * @description Id of the session.
                 */
                id: string;
                /**
                 * Format: date-time
                 * @description Time at which the session last obtained an access token.
                 */
                last_used_at: string;
            }[];
            /** @description Pass this as `cursor` to get the next page. Null on the last page. */
            next_cursor?: string | null;
        };
        /** @description One page of a list that is sorted by a unique key. */
        Page_UserDetails: {
            /** @description The items of this page, in the order of the list. */
            items: (components["schemas"]["Profile"] & {
                /** @description Whether the account is disabled, so that its owner cannot log in. */
                disabled: boolean;
                /** @description Whether the email address is verified. */
                verified: boolean;
            })[];
            /** @description Pass this as `cursor` to get the next page. Null on the last page. */
            next_cursor?: string | null;
        };
        /** @description Changes to the caller's account. Absent and null fields leave their value unchanged. */
        PatchMe: {
            /**
             * @description New name of the owner: 1 to 200 characters, not only white space, and no control characters.
             * @example Ada Lovelace
             */
            name?: string | null;
        };
        /** @description Changes to an account. Absent and null fields leave their value unchanged. */
        PatchUser: {
            /**
             * @description True to disable the account, which ends its sessions; false to enable it again.
             * @example true
             */
            disabled?: boolean | null;
            /**
             * @description Reason for the change, stored with the record of the change; at most 500 characters.
             * @example Fraudulent orders
             */
            reason?: string | null;
            /** @description The new roles of the account, at least one. They replace all current roles. */
            roles?: components["schemas"]["Role"][] | null;
        };
        /** @description A payment of an order, with its refunds. */
        Payment: {
            /** @description Amount reserved on the card; zero until the authorization succeeds. */
            authorized: components["schemas"]["Money"];
            /** @description Amount charged to the card; zero until the capture succeeds. */
            captured: components["schemas"]["Money"];
            /**
             * Format: date-time
             * @description Time at which the payment was requested.
             */
            created_at: string;
            failure?: components["schemas"]["PaymentFailure"] | null;
            /** @description Id of the payment. */
            id: components["schemas"]["PaymentId"];
            /** @description Id of the order that is paid; an order has exactly one payment. */
            order_id: components["schemas"]["OrderId"];
            /**
             * @description The provider's token of the card.
             * @example pm_card_ok
             */
            payment_method: string;
            /** @description Sum of all refunds that have succeeded. */
            refunded: components["schemas"]["Money"];
            /** @description All refunds of the payment, oldest first. */
            refunds: components["schemas"]["Refund"][];
            /** @description Current status of the payment. */
            status: components["schemas"]["payments.PaymentStatus"];
            /**
             * Format: date-time
             * @description Time of the last change.
             */
            updated_at: string;
        };
        /** @description Why the provider refused an authorization or a capture. */
        PaymentFailure: {
            /**
             * @description A code for programs.
             * @example card_declined
             */
            code: string;
            /**
             * @description An explanation for the shopper.
             * @example Your card was declined.
             */
            message: string;
        };
        /**
         * Format: uuid
         * @description Identifies a payment. Each order has at most one.
         */
        PaymentId: string;
        /** @description A payment method that the storefront can offer, and what the simulated provider does with it. */
        PaymentMethod: {
            /** @description What the provider does with this method. */
            description: string;
            /**
             * @description Token to send as `payment_method` when placing an order.
             * @example pm_card_ok
             */
            id: string;
            /**
             * @description Name to show to the shopper.
             * @example Working card
             */
            name: string;
            /**
             * @description Final status of an order that is paid with this method: `confirmed` or `rejected`.
             * @example confirmed
             */
            outcome: string;
        };
        /** @description All payment methods that the storefront can offer. */
        PaymentMethods: {
            /** @description The payment methods, in the order in which to show them. */
            items: components["schemas"]["PaymentMethod"][];
        };
        /**
         * @description The status of an order's payment, as far as orders knows it.
         * @enum {string}
         */
        PaymentStatus: "pending" | "authorized" | "captured" | "voided" | "failed" | "partially_refunded" | "refunded";
        /** @description An order to place. */
        PlaceOrder: {
            /**
             * @description Items to order: 1 to 50 lines, each SKU at most once. If absent, the items of the cart are ordered, and the cart is
             *     emptied.
             */
            items?: components["schemas"]["OrderItem"][] | null;
            /**
             * @description The payment provider's token of the payment method: `pm_`, followed by 1 to 61 letters, digits and underscores.
             * @example pm_card_ok
             */
            payment_method: string;
            /** @description Address to which the items are shipped. */
            shipping_address: components["schemas"]["Address"];
        };
        /** @description An API key to create. */
        PostApiKey: {
            /**
             * Format: date-time
             * @description Time at which the key expires: in the future, and at most 366 days from now. Default: in 90 days.
             */
            expires_at?: string | null;
            /**
             * @description Name of the key: 1 to 200 characters, not only white space, and no control characters.
             * @example Nightly backup
             */
            name: string;
            /** @description What the key may be used for; duplicates are ignored. Default: `read`. Only operators can choose `admin`. */
            scopes?: components["schemas"]["Scope"][];
        };
        /** @description Lowest and highest price in minor units, like `min_price` and `max_price`; both are null if no product matches. */
        PriceRange: {
            /**
             * Format: int64
             * @description Highest price in minor units.
             * @example 12900
             */
            max?: number | null;
            /**
             * Format: int64
             * @description Lowest price in minor units.
             * @example 450
             */
            min?: number | null;
        };
        /** @description The body of an error response (RFC 9457). */
        Problem: {
            /**
             * @description Explanation of this occurrence of the problem, for a person.
             * @example Some fields of the request are not valid.
             */
            detail: string;
            /** @description The invalid fields of the request. Only present with status 422, and for a process that is not ready with 503. */
            errors?: components["schemas"]["FieldError"][];
            /** @description Path of the request. */
            instance?: string | null;
            /**
             * Format: int32
             * @description HTTP status code, the same as that of the response.
             * @example 422
             */
            status: number;
            /**
             * @description Short description of the kind of problem, for a person.
             * @example Invalid request
             */
            title: string;
            /** @description Id of the request's trace. Support finds the logs and spans of the request by it. */
            trace_id?: string | null;
            /**
             * @description URI that identifies the kind of problem. Clients can rely on it.
             * @example https://souk.test/problems/invalid-request
             */
            type: string;
        };
        /** @description A product of the catalog, in one language. */
        Product: {
            /** @description Further properties as pairs of name and value, such as `"capacity": "300 ml"`. */
            attributes: {
                [key: string]: string;
            };
            /**
             * @description Slug of the product's category.
             * @example tea
             */
            category: string;
            /**
             * Format: date-time
             * @description Time at which the product was added (UTC).
             */
            created_at: string;
            /**
             * @description Description of the product in the language of the response.
             * @example First flush from Uji, 100 g.
             */
            description: string;
            /**
             * @description URL or absolute path of the product's image.
             * @example /v1/products/TEA-0001/image.svg
             */
            image: string;
            /**
             * @description Name of the product in the language of the response.
             * @example Sencha Green Tea
             */
            name: string;
            /** @description Price of one unit. */
            price: components["schemas"]["Money"];
            /** @description SKU of the product, which is its key. */
            sku: components["schemas"]["Sku"];
            /**
             * Format: int64
             * @description Version of the product; every change increments it. The `ETag` is `"v{version}"`, or `"v{version}-de"` for the German
             *     translation.
             * @example 1
             */
            version: number;
        };
        /**
         * @description Changes of a product. Absent fields keep their value.
         * @example {
         *       "name": "Sencha Green Tea",
         *       "price": {
         *         "amount": 1590,
         *         "currency": "EUR"
         *       }
         *     }
         */
        ProductChanges: {
            /** @description Replaces all further properties; at most 20, with the same limits as for a new product. */
            attributes?: {
                [key: string]: string;
            } | null;
            /** @description Slug of an existing category. */
            category?: string | null;
            /** @description New description in English; may be empty. */
            description?: string | null;
            /** @description New `https` URL or absolute path of the image, in visible ASCII characters. Null selects the image that Souk draws. */
            image?: string | null;
            /** @description New name in English, without control characters and not only spaces. */
            name?: string | null;
            price?: components["schemas"]["Money"] | null;
            translations?: components["schemas"]["Translations"] | null;
        };
        /** @description A page of products, with facets to narrow the list. */
        ProductPage: {
            /** @description Counts over all pages. Each facet ignores its own filter, so that it shows the results of other choices. */
            facets: components["schemas"]["Facets"];
            /** @description The products of this page, in the requested order. */
            items: components["schemas"]["ListedProduct"][];
            /** @description Pass this as `cursor` to get the next page. Null on the last page. */
            next_cursor?: string | null;
        };
        /** @description An account as returned to its owner. */
        Profile: {
            /**
             * Format: date-time
             * @description Time at which the account was registered.
             */
            created_at: string;
            /**
             * Format: email
             * @description Email address of the account, in lower case.
             * @example ada@example.com
             */
            email: string;
            /** @description Id of the account. */
            id: components["schemas"]["UserId"];
            /**
             * @description Name of the owner, as chosen by the owner.
             * @example Ada Lovelace
             */
            name: string;
            /** @description Roles of the account; they determine what it may do. */
            roles: components["schemas"]["Role"][];
            /**
             * Format: date-time
             * @description Time of the last change to the account.
             */
            updated_at: string;
        };
        /** @description The new quantity of a SKU in the cart. */
        PutItem: {
            /** @description The number of items, 1 to 99. It replaces the previous quantity. */
            quantity: components["schemas"]["Quantity"];
        };
        /** @description The current and the new password. */
        PutPassword: {
            /**
             * Format: password
             * @description The current password of the account.
             * @example demo-password-souk
             */
            current_password: string;
            /** @description True to keep the account's API keys; otherwise all of them are deleted. Default: false. */
            keep_api_keys?: boolean;
            /**
             * Format: password
             * @description The new password, 15 to 128 characters. Common passwords, short pieces that repeat (`abcabcabcabcabc`), and the email
             *     address with little added are refused.
             * @example seven kettles on a blue shelf
             */
            new_password: string;
        };
        /**
         * Format: int64
         * @description The number of items in one order line, 1 to 99.
         * @example 2
         */
        Quantity: number;
        /** @description Number of orders that were rejected for one reason. */
        ReasonCount: {
            /**
             * Format: int64
             * @description Number of orders rejected for this reason.
             */
            count: number;
            /**
             * @description The reason: `out_of_stock`, `payment_declined` or `timeout`.
             * @example out_of_stock
             */
            reason: string;
        };
        /** @description The body of refresh and logout. Browsers send no body; their cookie is used instead. */
        RefreshRequest: {
            /**
             * @description The refresh token returned by the login or the last refresh.
             * @example souk_rt_0sVn2Qf7pYx3mK9aTzR1cWd5hLg8uEjBiOoNqXvS4kw
             */
            refresh_token: string;
        };
        /** @description A refund of a payment, in whole or in part. */
        Refund: {
            /** @description Amount to be refunded, above zero. */
            amount: components["schemas"]["Money"];
            /**
             * Format: date-time
             * @description Time at which the refund was requested.
             */
            created_at: string;
            /**
             * Format: uuid
             * @description Id of the refund.
             */
            id: string;
            /**
             * @description Reason given when the refund was requested.
             * @example The cup arrived broken.
             */
            reason: string;
            /** @description Current status of the refund. */
            status: components["schemas"]["RefundStatus"];
        };
        /**
         * @description Status of a refund.
         * @enum {string}
         */
        RefundStatus: "pending" | "succeeded" | "failed";
        /** @description The reason for refusing a return. */
        RefuseReturn: {
            /**
             * @description Reason that is shown to the shopper: 1 to 500 characters, not counting leading and trailing white space.
             * @example The box was empty.
             */
            reason: string;
        };
        /** @description An account to register. */
        RegisterRequest: {
            /**
             * Format: email
             * @description Email address of the owner. Case and surrounding white space are ignored.
             * @example ada@example.com
             */
            email: string;
            /**
             * @description Name of the owner: 1 to 200 characters, not only white space, and no control characters.
             * @example Ada Lovelace
             */
            name: string;
            /**
             * Format: password
             * @description The password, 15 to 128 characters. Common passwords, short pieces that repeat (`abcabcabcabcabc`), and the email
             *     address with little added are refused.
             * @example seven kettles on a blue shelf
             */
            password: string;
        };
        /** @description The number of orders that were rejected for one reason. */
        Rejection: {
            /**
             * Format: int64
             * @description Number of orders that were rejected for this reason.
             * @example 3
             */
            orders: number;
            /**
             * @description Machine-readable reason: `out_of_stock`, `payment_declined` or `timeout`. More reasons may be added.
             * @example out_of_stock
             */
            reason: string;
        };
        /** @description The result of one audit over every invariant. */
        Report: {
            /**
             * Format: date-time
             * @description Time at which the audit finished (UTC).
             */
            checked_at: string;
            /** @description Whether no invariant is violated. Skipped invariants do not count. */
            clean: boolean;
            /**
             * Format: int64
             * @description Duration of the audit in milliseconds.
             */
            duration_ms: number;
            /** @description Every invariant, violated or not, always in the same order. */
            invariants: components["schemas"]["Invariant"][];
        };
        /**
         * @description How a parked step ended.
         * @enum {string}
         */
        Resolution: "done" | "refused";
        /** @description An operator's decision about the step at which a saga is parked. */
        Resolve: {
            outcome?: components["schemas"]["Resolution"] | null;
            /**
             * @description Reason for the log: 1 to 500 characters, not counting leading and trailing white space.
             * @example The provider confirmed the refund by phone.
             */
            reason: string;
        };
        /** @description A return of items of an order. */
        Return: {
            /** @description Amount of the refund: the price of the items, or the remainder of the payment if an operator had refunded a part. */
            amount: components["schemas"]["Money"];
            /**
             * Format: date-time
             * @description Time at which the return was requested.
             */
            created_at: string;
            /** @description Id of the return, which is also the id of its saga. */
            id: components["schemas"]["ReturnId"];
            /** @description SKUs and quantities that are returned. */
            lines: components["schemas"]["OrderItem"][];
            /**
             * @description Whether the items had been shipped when the return was requested, so that an operator must confirm that they have
             *     arrived before anything is refunded. Items that had not been shipped are refunded at once.
             */
            needs_receipt?: boolean;
            /** @description Reason that the shopper gave for the return. */
            reason: string;
            /** @description Reason that the operator gave for refusing the return. Absent unless an operator refused it. */
            refusal_reason?: string | null;
            /** @description Status of the return. */
            status: components["schemas"]["ReturnStatus"];
            /**
             * Format: date-time
             * @description Time of the return's last change.
             */
            updated_at: string;
        };
        /**
         * Format: uuid
         * @description Identifies a return of items from one order.
         */
        ReturnId: string;
        /**
         * @description The status of a return.
         * @enum {string}
         */
        ReturnStatus: "requested" | "received" | "refunded" | "completed" | "refused";
        /** @description Revenue of one hour in one currency. */
        RevenueHour: {
            /** @description Amount charged for orders placed in this hour, minus their refunds. */
            amount: components["schemas"]["Money"];
            /**
             * Format: date-time
             * @description Start of the hour.
             */
            hour: string;
            /**
             * Format: int64
             * @description Number of orders placed in this hour whose payment was captured.
             */
            orders: number;
        };
        /**
         * @description A role of an account, which grants permissions.
         * @enum {string}
         */
        Role: "customer" | "admin";
        /** @description Number of sagas that have not ended, by status. */
        SagaFigures: {
            /**
             * Format: int64
             * @description Number of sagas that are undoing their steps.
             */
            compensating: number;
            /**
             * Format: double
             * @description Age of the oldest running or compensating saga, in seconds. Null if there is none.
             */
            oldest_active_age_seconds?: number | null;
            /**
             * Format: int64
             * @description Number of sagas that are waiting for an operator.
             */
            parked: number;
            /**
             * Format: int64
             * @description Number of sagas that are performing their steps.
             */
            running: number;
        };
        /**
         * Format: uuid
         * @description Identifies a saga. The saga of a checkout has the same id as its order.
         */
        SagaId: string;
        /**
         * @description The status of a saga.
         * @enum {string}
         */
        SagaStatus: "running" | "compensating" | "parked" | "completed" | "compensated";
        /** @description A saga in a list, without its steps. */
        SagaSummary: {
            /**
             * Format: int32
             * @description Number of times the step's command was sent; 0 while a checkout waits because too many others are in flight.
             */
            attempts: number;
            awaiting?: components["schemas"]["CommandId"] | null;
            /**
             * Format: date-time
             * @description Time at which the saga started.
             */
            created_at: string;
            /**
             * @description Kind of the saga: `checkout` or `return`.
             * @example checkout
             */
            definition: string;
            /**
             * @description Whether the step is performed (`do`) or undone (`undo`).
             * @example do
             */
            direction: string;
            /** @description Id of the saga. A checkout has the id of its order, the saga of a return has the id of the return. */
            id: components["schemas"]["SagaId"];
            /** @description The last problem, such as a refusal or a missing reply. */
            last_error?: string | null;
            /** @description Id of the order that the saga works on. */
            order_id: components["schemas"]["OrderId"];
            /** @description Reason why the saga is waiting for an operator. Null unless it is parked. */
            parked_reason?: string | null;
            /**
             * @description Status: `running`, `compensating`, `completed`, `compensated` or `parked`.
             * @example parked
             */
            status: string;
            /**
             * @description Name of the current step; for a saga that has ended, of its last one.
             * @example commit_stock
             */
            step: string;
            /**
             * Format: date-time
             * @description Time at which the saga last moved.
             */
            updated_at: string;
        };
        /** @description A saga and its progress. */
        SagaView: {
            /**
             * Format: date-time
             * @description When the saga was started.
             */
            created_at: string;
            /** @description The kind of saga: `checkout` or `return`. */
            definition: string;
            /** @description The saga's id. A checkout has its order's id, the saga of a return has the return's id. */
            id: components["schemas"]["SagaId"];
            /** @description The order that the saga works on. */
            order_id: components["schemas"]["OrderId"];
            /** @description Why the saga waits for an operator, if it is parked. */
            parked_reason?: string | null;
            /**
             * @description The saga's status: `running`, `compensating`, `parked`, `completed` or `compensated`.
             * @example completed
             */
            status: string;
            /** @description The steps in the order of the saga, followed by the undone ones in the order in which they are undone. */
            steps: components["schemas"]["StepView"][];
            /** @description The id of the trace in which the saga was started. */
            trace_id?: string | null;
            /**
             * Format: date-time
             * @description When the saga last moved.
             */
            updated_at: string;
        };
        /** @description Sales figures of a time span. They are derived from events, so they lag a few seconds behind. */
        Sales: {
            /** @description The products with the highest number of units sold, best first. */
            best_sellers: components["schemas"]["BestSeller"][];
            /**
             * Format: date-time
             * @description Start of the time span, inclusive (UTC).
             */
            from: string;
            /** @description For each step of an order, the number of orders placed in the time span that reached it. */
            funnel: components["schemas"]["Step"][];
            /** @description One entry per hour and currency in which an order was confirmed or refunded, oldest first. */
            hours: components["schemas"]["Hour"][];
            /** @description Number of orders rejected in the time span by reason, most frequent first. */
            rejections: components["schemas"]["Rejection"][];
            /**
             * Format: date-time
             * @description End of the time span, exclusive (UTC).
             */
            to: string;
        };
        /** @description A saved shipping address. */
        SavedAddress: {
            /** @description Name of the town or city. */
            city: string;
            /**
             * @description Country, as an ISO 3166-1 alpha-2 code.
             * @example DE
             */
            country: string;
            /**
             * Format: date-time
             * @description Time at which the address was saved.
             */
            created_at: string;
            /**
             * Format: uuid
             * @description Id of the saved address.
             */
            id: string;
            /** @description Street and house number. */
            line1: string;
            /** @description Further details, such as floor, flat or company. */
            line2?: string | null;
            /** @description Name of the recipient. */
            name: string;
            /** @description Telephone number of the recipient, in any format. */
            phone?: string | null;
            /** @description Postal code, in the country's own format. */
            postal_code: string;
            /** @description State, province or county, where it is part of the address. */
            region?: string | null;
            /**
             * Format: date-time
             * @description Time of the last change.
             */
            updated_at: string;
        };
        /**
         * @description A scope of an API key, which limits what the key may be used for.
         * @enum {string}
         */
        Scope: "read" | "order" | "admin";
        /** @description A session of the caller that has not ended. */
        Session: {
            /**
             * Format: date-time
             * @description Time of the login.
             */
            created_at: string;
            /** @description Whether this request belongs to the session. */
            current: boolean;
            /**
             * Format: date-time
             * @description Time at which the session ends at the latest, 90 days after the login.
             */
            expires_at: string;
            /**
             * Format: uuid
             * @description Id of the session.
             */
            id: string;
            /**
             * Format: date-time
             * @description Time at which the session last obtained an access token.
             */
            last_used_at: string;
        };
        /** @description The new state of a fault switch. */
        SetFault: {
            /** @description Name of the fault to switch on or off. */
            name: components["schemas"]["Fault"];
            /**
             * @description Reason for the log: 1 to 500 characters, not counting leading and trailing white space.
             * @example Show how sagas survive lost commands.
             */
            reason: string;
            /**
             * Format: int32
             * @description Duration in seconds, 1 to 900; 0 switches the fault off.
             * @example 60
             */
            seconds: number;
        };
        /** @description How the items of an order are shipped. */
        ShipOrder: {
            /**
             * @description Name of the carrier: 1 to 100 characters, not counting leading and trailing white space. Optional.
             * @example DHL
             */
            carrier?: string | null;
            /**
             * @description Tracking number of the carrier: 1 to 100 characters, not counting leading and trailing white space. Optional.
             * @example 00340434161094042557
             */
            tracking_number?: string | null;
        };
        /** @description The shipment of an order. */
        Shipment: {
            /** @description Name of the carrier, if the operator entered one. */
            carrier?: string | null;
            /**
             * Format: date-time
             * @description Time at which the items arrived at the shopper. Null until then.
             */
            delivered_at?: string | null;
            /**
             * Format: date-time
             * @description Time at which the items were handed to the carrier.
             */
            shipped_at: string;
            /** @description Tracking number of the carrier, if the operator entered one. */
            tracking_number?: string | null;
        };
        /**
         * @description A stock-keeping unit, the key of a product: 1 to 64 characters of `[A-Za-z0-9._-]`, except `.` and `..`.
         * @example TEA-0001
         */
        Sku: string;
        /** @description One step of the order funnel. */
        Step: {
            /**
             * Format: int64
             * @description Number of orders placed in the time span that have reached the step.
             * @example 12
             */
            orders: number;
            /**
             * @description Name of the step: `placed`, `reserved`, `authorized`, `captured`, `confirmed`, `shipped` or `delivered`, or one of the
             *     other ends of an order: `returned`, `rejected` or `cancelled`.
             * @example captured
             */
            step: string;
        };
        /**
         * @description The state of a step.
         * @enum {string}
         */
        StepState: "pending" | "running" | "done" | "refused" | "silent" | "parked" | "skipped";
        /** @description A step that is performed, or undone. */
        StepView: {
            actor?: components["schemas"]["UserId"] | null;
            /**
             * Format: int32
             * @description How many times the command was sent.
             */
            attempts: number;
            command_id?: components["schemas"]["CommandId"] | null;
            /** @description The reason in words. */
            detail?: string | null;
            /** @description Whether the step is performed (`do`) or undone (`undo`). */
            direction: string;
            /**
             * Format: date-time
             * @description When the reply arrived, or the saga stopped waiting for it.
             */
            finished_at?: string | null;
            /** @description The name of the step, such as `capture_payment`. */
            name: string;
            /** @description Whether this step is the point of no return. */
            pivot: boolean;
            /** @description A code for why the step was refused, given up or parked, or an operator's reason. */
            reason?: string | null;
            /** @description The service that performs the step. */
            service: string;
            /**
             * Format: date-time
             * @description When the command was sent for the first time.
             */
            started_at?: string | null;
            /** @description The state of the step. */
            state: components["schemas"]["StepState"];
        };
        /**
         * @description A change of the number of units in stock.
         * @example {
         *       "delta": 25,
         *       "reason": "stocktaking"
         *     }
         */
        StockAdjustment: {
            /**
             * Format: int64
             * @description Number of units to add (positive) or remove (negative). Must not be 0.
             * @example 25
             */
            delta: number;
            /**
             * @description Reason for the adjustment, kept in the ledger. Must not consist only of spaces.
             * @example stocktaking
             */
            reason: string;
        };
        /** @description The stock levels of one product, in units. Always `on_hand = available + held`. */
        StockLevels: {
            /**
             * Format: int64
             * @description Number of units that can be ordered.
             * @example 40
             */
            available: number;
            /**
             * Format: int64
             * @description Total number of units that were sold since the product was first added.
             * @example 8
             */
            committed: number;
            /**
             * Format: int64
             * @description Number of units that are held for orders in progress.
             * @example 2
             */
            held: number;
            /**
             * Format: int64
             * @description Number of units in the warehouse.
             * @example 42
             */
            on_hand: number;
            /**
             * Format: int64
             * @description Total number of units that were returned since the product was first added.
             * @example 0
             */
            restocked: number;
            /**
             * @description SKU of the product.
             * @example TEA-0001
             */
            sku: string;
        };
        /** @description The tokens of a session, returned by a login and a refresh. */
        TokenResponse: {
            /** @description Access token to send as `Authorization: Bearer`; a JWT (RFC 9068). */
            access_token: string;
            /**
             * Format: int64
             * @description Lifetime of the access token in seconds.
             * @example 600
             */
            expires_in: number;
            /**
             * @description Refresh token for the next tokens, which can be used once within 14 days. Absent if it is set as a cookie.
             * @example souk_rt_0sVn2Qf7pYx3mK9aTzR1cWd5hLg8uEjBiOoNqXvS4kw
             */
            refresh_token?: string | null;
            /**
             * @description Type of the access token, always `Bearer`.
             * @example Bearer
             */
            token_type: string;
        };
        /** @description Texts of a product in one language. */
        Translation: {
            /**
             * @description Translated values of further properties; properties that are missing here keep their English value. At most 20, with
             *     the same limits as the product's properties.
             */
            attributes?: {
                [key: string]: string;
            };
            /** @description Translated description; may be empty. */
            description: string;
            /**
             * @description Translated name, without control characters and not only spaces.
             * @example Sencha Grüntee
             */
            name: string;
        };
        /** @description Texts of a product in languages other than English. */
        Translations: {
            de?: components["schemas"]["Translation"] | null;
        };
        /**
         * @description How the refresh token is returned.
         * @enum {string}
         */
        Transport: "token" | "cookie";
        /** @description An account as returned to operators. */
        UserDetails: components["schemas"]["Profile"] & {
            /** @description Whether the account is disabled, so that its owner cannot log in. */
            disabled: boolean;
            /** @description Whether the email address is verified. */
            verified: boolean;
        };
        /**
         * Format: uuid
         * @description Identifies a user account.
         */
        UserId: string;
        /** @description The token that proves that an email arrived. */
        VerifyRequest: {
            /**
             * @description The token from the link in the email. It can be used once, within 24 hours.
             * @example souk_vt_0sVn2Qf7pYx3mK9aTzR1cWd5hLg8uEjBiOoNqXvS4kw
             */
            token: string;
        };
        /** @description A best-selling product and its sales in one currency. */
        "orders.BestSeller": {
            /** @description Product name in the newest of these orders; it may have been renamed since. */
            name: string;
            /**
             * Format: int64
             * @description Number of items sold in paid orders.
             */
            quantity: number;
            /** @description Total price of those items, without deducting refunds. */
            revenue: components["schemas"]["Money"];
            /** @description SKU of the product. */
            sku: components["schemas"]["Sku"];
        };
        /**
         * @description Status of a payment.
         * @enum {string}
         */
        "payments.PaymentStatus": "created" | "authorizing" | "authorized" | "capturing" | "captured" | "partially_refunded" | "refunded" | "voiding" | "voided" | "failed" | "expired";
    };
    responses: {
        /** @description The request is malformed */
        BadRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The service did not respond in time */
        GatewayTimeout: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is too large */
        PayloadTooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The service is overloaded or unavailable; retry after the time in `Retry-After` */
        ServiceUnavailable: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The quota is used up; retry after the time in `Retry-After` */
        TooManyRequests: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body has an unsupported media type */
        UnsupportedMediaType: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    get_jwks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The JWK set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    docs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            /** @description An error, as problem details (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": Record<string, never>;
                };
            };
        };
    };
    healthz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            /** @description An error, as problem details (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": Record<string, never>;
                };
            };
        };
    };
    openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            /** @description An error, as problem details (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": Record<string, never>;
                };
            };
        };
    };
    readyz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            /** @description An error, as problem details (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": Record<string, never>;
                };
            };
        };
    };
    account: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Names of the parts that were not available and are therefore null */
                        degraded: string[];
                        orders?: null | {
                            /**
                             * Format: date-time
                             * @description Time at which the order was placed.
                             */
                            created_at: string;
                            /** @description Status of the order's items. */
                            fulfilment_status: components["schemas"]["FulfilmentStatus"];
                            /** @description Id of the order, which is also the id of its checkout saga. */
                            id: components["schemas"]["OrderId"];
                            /** @description The ordered items, with the names and prices at the time of the order. */
                            lines: components["schemas"]["OrderLine"][];
                            /** @description Id of the payment. The payment exists in payments once its authorization has been requested. */
                            payment_id: components["schemas"]["PaymentId"];
                            /**
                             * @description The payment provider's token of the payment method.
                             * @example pm_card_ok
                             */
                            payment_method: string;
                            /** @description Status of the order's payment. */
                            payment_status: components["schemas"]["PaymentStatus"];
                            /**
                             * @description Why the order was rejected (`out_of_stock`, `payment_declined`, `timeout`), or the reason that was given for its
                             *     cancellation. Absent for other orders.
                             */
                            reason?: string | null;
                            /** @description The returns of this order, oldest first. */
                            returns: components["schemas"]["Return"][];
                            shipment?: components["schemas"]["Shipment"] | null;
                            /** @description Address to which the items are shipped. */
                            shipping_address: components["schemas"]["Address"];
                            /** @description Status of the order. */
                            status: components["schemas"]["OrderStatus"];
                            /** @description Total price, the sum of the lines. */
                            total: components["schemas"]["Money"];
                            /** @description Id of the trace in which the order was placed. */
                            trace_id?: string | null;
                            /**
                             * Format: date-time
                             * @description Time of the order's last change.
                             */
                            updated_at: string;
                            /** @description The user who placed the order. */
                            user_id: components["schemas"]["UserId"];
                        }[];
                        payments?: null | {
                            /** @description Amount reserved on the card; zero until the authorization succeeds. */
                            authorized: components["schemas"]["Money"];
                            /** @description Amount charged to the card; zero until the capture succeeds. */
                            captured: components["schemas"]["Money"];
                            /**
                             * Format: date-time
                             * @description Time at which the payment was requested.
                             */
                            created_at: string;
                            failure?: components["schemas"]["PaymentFailure"] | null;
                            /** @description Id of the payment. */
                            id: components["schemas"]["PaymentId"];
                            /** @description Id of the order that is paid; an order has exactly one payment. */
                            order_id: components["schemas"]["OrderId"];
                            /**
                             * @description The provider's token of the card.
                             * @example pm_card_ok
                             */
                            payment_method: string;
                            /** @description Sum of all refunds that have succeeded. */
                            refunded: components["schemas"]["Money"];
                            /** @description All refunds of the payment, oldest first. */
                            refunds: components["schemas"]["Refund"][];
                            /** @description Current status of the payment. */
                            status: components["schemas"]["payments.PaymentStatus"];
                            /**
                             * Format: date-time
                             * @description Time of the last change.
                             */
                            updated_at: string;
                        }[];
                        profile?: components["schemas"]["Profile"];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            /** @description An error, as problem details (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": Record<string, never>;
                };
            };
        };
    };
    get_audit: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The report, with or without violations */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Report"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description No valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an administrator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            /** @description A database is unavailable or too slow */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    config: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description The attempt that applied the configuration in force. */
                        current: {
                            /**
                             * Format: date-time
                             * @description When the attempt was made.
                             */
                            at: string;
                            /** @description SHA-256 of the configuration that was applied; null if it was refused. */
                            digest: string | null;
                            /**
                             * @description Why the configuration was refused, with the line and column of the error if it has a position; null if it was
                             *     applied.
                             */
                            error: string | null;
                            /** @description Where the configuration came from. */
                            source: "start" | "file" | "signal" | "api" | "labels";
                        };
                        /** @description The last attempts to change the configuration, newest first; at most 20. */
                        last_attempts: {
                            /**
                             * Format: date-time
                             * @description When the attempt was made.
                             */
                            at: string;
                            /** @description SHA-256 of the configuration that was applied; null if it was refused. */
                            digest: string | null;
                            /**
                             * @description Why the configuration was refused, with the line and column of the error if it has a position; null if it was
                             *     applied.
                             */
                            error: string | null;
                            /** @description Where the configuration came from. */
                            source: "start" | "file" | "signal" | "api" | "labels";
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            /** @description An error, as problem details (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": Record<string, never>;
                };
            };
        };
    };
    put_v1_admin_config: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description A whole configuration as YAML, as in gateway.yaml */
        requestBody: {
            content: {
                "text/yaml": string;
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description The attempt that applied the configuration in force. */
                        current: {
                            /**
                             * Format: date-time
                             * @description When the attempt was made.
                             */
                            at: string;
                            /** @description SHA-256 of the configuration that was applied; null if it was refused. */
                            digest: string | null;
                            /**
                             * @description Why the configuration was refused, with the line and column of the error if it has a position; null if it was
                             *     applied.
                             */
                            error: string | null;
                            /** @description Where the configuration came from. */
                            source: "start" | "file" | "signal" | "api" | "labels";
                        };
                        /** @description The last attempts to change the configuration, newest first; at most 20. */
                        last_attempts: {
                            /**
                             * Format: date-time
                             * @description When the attempt was made.
                             */
                            at: string;
                            /** @description SHA-256 of the configuration that was applied; null if it was refused. */
                            digest: string | null;
                            /**
                             * @description Why the configuration was refused, with the line and column of the error if it has a position; null if it was
                             *     applied.
                             */
                            error: string | null;
                            /** @description Where the configuration came from. */
                            source: "start" | "file" | "signal" | "api" | "labels";
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            /** @description An error, as problem details (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": Record<string, never>;
                };
            };
        };
    };
    list_dead_letters: {
        parameters: {
            query?: {
                /** @description Maximum number of items per page, 1 to 100. */
                limit?: number;
                /** @description The `next_cursor` of the previous page. Omit it to get the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of dead letters */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_DeadLetter"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A parameter is unknown or not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    delete_dead_letter: {
        parameters: {
            query?: {
                /**
                 * @description Reason for the log: 1 to 500 characters, not counting leading and trailing white space. Optional.
                 * @example A test message.
                 */
                reason?: string;
            };
            header?: never;
            path: {
                /** @description Id of the dead letter */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The dead letter is deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such dead letter, or it is settled already */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The reason is not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    redrive_dead_letter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the dead letter */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ActionReason"] | null;
            };
        };
        responses: {
            /** @description The message will be sent again */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such dead letter, or it is settled already */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The saga no longer awaits the command, or the message is not JSON */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The body is not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    list_faults: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every fault switch */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FaultList"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is not in demo mode */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    set_fault: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetFault"];
            };
        };
        responses: {
            /** @description Every fault switch after the change */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FaultList"];
                };
            };
            /** @description The body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is not in demo mode */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description A field is not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    get_metrics_summary: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The summary */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MetricsSummary"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    list_outboxes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every outbox */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Outboxes"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description No valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an administrator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            /** @description A database is unavailable or too slow */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    routes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description The routes, ordered by name. */
                        items: {
                            /** @description How the response is produced. */
                            action: {
                                /** @description The gRPC method, folder, redirect target or endpoint of the gateway; null for other actions. */
                                detail: string | null;
                                /** @description The kind of action. */
                                kind: "forward" | "grpc" | "aggregate" | "files" | "redirect" | "local";
                                /** @description Names of the upstreams that the action calls. */
                                upstreams: string[];
                            };
                            /**
                             * Format: uint64
                             * @description Time from the start of a request until its response must have ended, or for a stream, must have begun, in
                             *     milliseconds.
                             */
                            deadline_ms: number;
                            /** @description Figures of the last minute. */
                            figures: {
                                /**
                                 * Format: double
                                 * @description Share of the responses with a status from 400 to 499.
                                 */
                                client_error_rate: number;
                                /**
                                 * Format: double
                                 * @description Median time from the head of a request to the head of its response, in milliseconds; null without requests.
                                 */
                                p50_ms: number | null;
                                /**
                                 * Format: double
                                 * @description 99th percentile of that time, in milliseconds; null without requests.
                                 */
                                p99_ms: number | null;
                                /**
                                 * Format: double
                                 * @description Average number of requests per second.
                                 */
                                requests_per_second: number;
                                /**
                                 * Format: double
                                 * @description Share of the responses with a status of 500 or more.
                                 */
                                server_error_rate: number;
                            };
                            /** @description Limits of concurrent calls, one for each upstream that the route calls. */
                            limits: {
                                /**
                                 * Format: uint32
                                 * @description Calls that are in flight now.
                                 */
                                in_flight: number;
                                /**
                                 * Format: uint32
                                 * @description Maximum number of calls in flight.
                                 */
                                max: number;
                                /**
                                 * Format: uint
                                 * @description Maximum number of queued calls.
                                 */
                                queue: number;
                                /**
                                 * Format: uint
                                 * @description Calls that are queued now.
                                 */
                                queued: number;
                                /**
                                 * Format: uint64
                                 * @description Calls that were rejected since the gateway started, because too many were in flight and queued.
                                 */
                                refused: number;
                                /** @description Name of the upstream. */
                                upstream: string;
                            }[];
                            /** @description The requests that the route matches. */
                            match: {
                                /** @description Required header fields, as name to value; `*` stands for any value. */
                                headers: {
                                    [key: string]: string;
                                };
                                /** @description Names of hosts; empty if every host matches. */
                                hosts: string[];
                                /** @description HTTP methods; GET includes HEAD. */
                                methods: string[];
                                /** @description Path, which may contain `{parameters}`. */
                                path: string;
                                /** @description Required query parameters, as name to value; `*` stands for any value. */
                                query: {
                                    [key: string]: string;
                                };
                                /** @description The scheme that the client must have used; null for any. */
                                scheme: ("http" | "https") | null;
                            };
                            /** @description Name of the route in gateway.yaml. */
                            name: string;
                            /** @description The policies that a request passes, in this order. */
                            policies: {
                                /** @description Kinds of its links, such as `rate`, in this order. */
                                links: string[];
                                /** @description Name of the policy in gateway.yaml. */
                                name: string;
                            }[];
                        }[];
                        /** @description Always null, because all routes are in one response. */
                        next_cursor: null;
                        /** @description The quotas, ordered by policy. */
                        quotas: {
                            /** @description Name of the policy in gateway.yaml, or `unmatched` for requests that match no route. */
                            policy: string;
                            /**
                             * Format: uint64
                             * @description Requests that were rejected since the gateway started, because their client had used up a quota of the policy.
                             */
                            refused: number;
                            /** @description The quotas that a client has, in this order. */
                            rules: {
                                /** @description How clients are distinguished. */
                                by: "user" | "address";
                                /** @description Whether all replicas of the gateway count together; otherwise each replica counts alone. */
                                is_shared: boolean;
                                /**
                                 * Format: uint32
                                 * @description Number of requests of one client in each window.
                                 */
                                quota: number;
                                /**
                                 * Format: double
                                 * @description Length of the window in seconds.
                                 */
                                window_seconds: number;
                            }[];
                        }[];
                        /** @description Figures of all routes together. */
                        total: {
                            /**
                             * Format: double
                             * @description Share of the responses with a status from 400 to 499.
                             */
                            client_error_rate: number;
                            /**
                             * Format: double
                             * @description Median time from the head of a request to the head of its response, in milliseconds; null without requests.
                             */
                            p50_ms: number | null;
                            /**
                             * Format: double
                             * @description 99th percentile of that time, in milliseconds; null without requests.
                             */
                            p99_ms: number | null;
                            /**
                             * Format: double
                             * @description Average number of requests per second.
                             */
                            requests_per_second: number;
                            /**
                             * Format: double
                             * @description Share of the responses with a status of 500 or more.
                             */
                            server_error_rate: number;
                        };
                        /**
                         * Format: uint64
                         * @description Length of the time that the figures refer to, in seconds. Figures of routes that are newer refer to the time since they
                         *     were added.
                         */
                        window_seconds: number;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            /** @description An error, as problem details (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": Record<string, never>;
                };
            };
        };
    };
    list_sagas: {
        parameters: {
            query?: {
                /** @description Return only sagas with this status. */
                status?: components["schemas"]["SagaStatus"];
                /** @description Maximum number of sagas in the page, 1 to 100. */
                limit?: number;
                /** @description The `next_cursor` of the previous page; absent for the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of sagas */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_SagaSummary"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A parameter is unknown or not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    get_any_saga: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the saga */
                id: components["schemas"]["SagaId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The saga */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SagaView"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such saga */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    compensate_saga: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the saga */
                id: components["schemas"]["SagaId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ActionReason"];
            };
        };
        responses: {
            /** @description The saga after the action */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SagaView"];
                };
            };
            /** @description The body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such saga */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The saga is past its pivot, is compensating already, or has ended */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description A field is not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    resolve_saga: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the saga */
                id: components["schemas"]["SagaId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Resolve"];
            };
        };
        responses: {
            /** @description The saga after the action */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SagaView"];
                };
            };
            /** @description The body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such saga */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The saga is not parked, or the step cannot be undone and is resolved as `refused` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description A field is not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    retry_saga: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the saga */
                id: components["schemas"]["SagaId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ActionReason"];
            };
        };
        responses: {
            /** @description The saga after the action */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SagaView"];
                };
            };
            /** @description The body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such saga */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The saga has ended */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description A field is not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    get_sales: {
        parameters: {
            query?: {
                /** @description Start of the time span, inclusive. The default is seven days before `to`. */
                from?: string;
                /** @description End of the time span, exclusive. The default is the current time. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sales figures */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sales"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description No valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an administrator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The time span is invalid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            /** @description The database is unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    upstreams: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: {
                            /** @description Breakers that stop calls to this upstream while it fails, one for each route that has a breaker */
                            breakers: {
                                /** @description Recent calls that the rates refer to; if the breaker is open, the calls that opened it */
                                calls: number;
                                /** @description Share of these calls that failed */
                                failure_rate: number;
                                /** @description Seconds until an open breaker lets a few calls through as probes; null if it is not open */
                                retry_in_seconds: number | null;
                                /** @description Name of the route in gateway.yaml */
                                route: string;
                                /** @description Share of these calls that were slow */
                                slow_rate: number;
                                /**
                                 * @description Closed: all calls are made. Open: no call is made. Half-open: a few calls are made as probes.
                                 * @enum {string}
                                 */
                                state: "closed" | "open" | "half_open";
                            }[];
                            /**
                             * @description How instances are found: a fixed list, a DNS name, a service in Consul or Kubernetes, or a label of containers
                             * @enum {string}
                             */
                            discover: "static" | "dns" | "consul" | "docker" | "kubernetes";
                            /** @description Currently known instances */
                            instances: {
                                /** @description IP address and port */
                                address: string;
                                /** @description Failed requests and connections since the gateway found this instance */
                                failures: number;
                                /** @description Requests that have not finished yet */
                                in_flight: number;
                                /** @description The newest failure; null if there was none */
                                last_failure: {
                                    /**
                                     * Format: date-time
                                     * @description When the request failed
                                     */
                                    at: string;
                                    /** @description Why the request failed, for operators */
                                    reason: string;
                                } | null;
                                /** @description Average time to a response, which rises at once and falls slowly; null before the first response */
                                latency_seconds: number | null;
                                /** @description Requests since the gateway found this instance */
                                requests: number;
                                /**
                                 * @description Unhealthy: its health checks fail, or none was made yet. Ejected: its requests failed several times in a row.
                                 * @enum {string}
                                 */
                                state: "healthy" | "unhealthy" | "ejected";
                            }[];
                            /** @description Name of the upstream in gateway.yaml */
                            name: string;
                            /**
                             * @description Protocol of the upstream
                             * @enum {string}
                             */
                            protocol: "http" | "grpc";
                        }[];
                        next_cursor: null;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            /** @description An error, as problem details (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": Record<string, never>;
                };
            };
        };
    };
    log_in: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginRequest"];
            };
        };
        responses: {
            /** @description The tokens of the new session */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenResponse"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The email address or the password is wrong, or the account cannot be used */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The body is not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many failed logins; the next attempt is checked after the time in `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many concurrent logins; retry after the time in `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    log_out: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: {
                /** @description The refresh token of a browser */
                souk_refresh?: string | null;
            };
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RefreshRequest"];
            };
        };
        responses: {
            /** @description The session has ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description The cookie was sent from an origin that is not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            /** @description There is neither a cookie nor a JSON body */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    request_password_reset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MailRequest"];
            };
        };
        responses: {
            /** @description The request is accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The text is not an email address */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    confirm_password_reset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConfirmPasswordReset"];
            };
        };
        responses: {
            /** @description The password is changed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The token is unknown, expired or used, or the password is refused */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            /** @description Too many passwords are being hashed; retry after the time in `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    refresh_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: {
                /** @description The refresh token of a browser */
                souk_refresh?: string | null;
            };
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RefreshRequest"];
            };
        };
        responses: {
            /** @description The new tokens */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenResponse"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The refresh token is unknown, expired, revoked or was used before */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The cookie was sent from an origin that is not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            /** @description There is neither a cookie nor a JSON body */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    register_account: {
        parameters: {
            query?: never;
            header?: {
                /** @description Preferred language of emails to the owner: English or German */
                "accept-language"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RegisterRequest"];
            };
        };
        responses: {
            /** @description The registration is accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description One or more fields are not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            /** @description Too many passwords are being hashed; retry after the time in `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    request_verification_mail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MailRequest"];
            };
        };
        responses: {
            /** @description The request is accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The text is not an email address */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    verify_account: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VerifyRequest"];
            };
        };
        responses: {
            /** @description The address is verified */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The token is unknown, expired, used or replaced by a newer one */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    get_cart: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cart */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cart"] & {
                        /** @description Names of the parts that were not available and are therefore null */
                        degraded: string[];
                        items?: {
                            availability?: null | {
                                available?: number;
                                in_stock?: boolean;
                                sku?: string;
                            };
                            line_total?: null | {
                                amount?: number;
                                currency?: string;
                            };
                            product?: null | components["schemas"]["ListedProduct"];
                        }[];
                        total?: null | {
                            amount?: number;
                            currency?: string;
                        };
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    clear_cart: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cart is empty */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    put_item: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The SKU to set */
                sku: components["schemas"]["Sku"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutItem"];
            };
        };
        responses: {
            /** @description The whole cart after the change */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cart"];
                };
            };
            /** @description The body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The SKU in the path is not well-formed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The quantity is not valid, or the cart is full */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    remove_item: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The SKU to remove */
                sku: components["schemas"]["Sku"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The SKU is not in the cart */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The SKU in the path is not well-formed */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    list_categories: {
        parameters: {
            query?: never;
            header?: {
                /** @description Preferred languages, such as `de, en;q=0.5` */
                "accept-language"?: string | null;
                /** @description ETag of the response that the client has */
                "if-none-match"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every category */
            200: {
                headers: {
                    /** @description How long the response may be cached */
                    "cache-control"?: string;
                    /** @description Language of the names, `en` or `de` */
                    "content-language"?: string;
                    /** @description Entity tag of the list in this language */
                    etag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Categories"];
                };
            };
            /** @description The client has the current list */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            /** @description The database is unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    list_active_faults: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The active faults */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActiveFaults"];
                };
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    list_notifications: {
        parameters: {
            query?: {
                /** @description Maximum number of items per page, 1 to 100. */
                limit?: number;
                /** @description The `next_cursor` of the previous page. Omit it to get the first page. */
                cursor?: string;
            };
            header?: {
                /** @description Preferred languages, such as `de, en;q=0.5` */
                "accept-language"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of notifications */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotificationList"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description No valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A parameter is invalid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            /** @description The database is unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    read_all_notifications: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every notification is marked as read */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description No valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            /** @description The database is unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    read_notification: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the notification */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The notification is marked as read */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description No valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The notification does not exist or belongs to another user */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            /** @description The database is unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    list_orders: {
        parameters: {
            query?: {
                /** @description Return only orders with this status. */
                status?: components["schemas"]["OrderStatus"];
                /** @description Return the orders of all users. Only operators may set it. */
                all?: boolean;
                /** @description Maximum number of orders in the page, 1 to 100. */
                limit?: number;
                /** @description The `next_cursor` of the previous page; absent for the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of orders */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Order"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller has set `all` and is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A parameter is unknown or not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    place_order: {
        parameters: {
            query?: never;
            header: {
                /** @description Send the same key when repeating the request: 1 to 255 visible ASCII characters */
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlaceOrder"];
            };
        };
        responses: {
            /** @description The order is placed, and its checkout has started */
            202: {
                headers: {
                    /** @description Path of the order */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
            /** @description The Idempotency-Key is missing or not valid, or the body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The cart was changed meanwhile, or a request with the same key is in progress */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description A field is not valid, the cart is empty, or the key was already used with a different body */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            /** @description Prices are not available, or too many checkouts are waiting */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    get_order: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the order */
                id: components["schemas"]["OrderId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The order */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"] & {
                        /** @description Names of the parts that were not available and are therefore null */
                        degraded: string[];
                        lines?: {
                            product?: null | components["schemas"]["ListedProduct"];
                        }[];
                        payment?: null | {
                            /** @description Amount reserved on the card; zero until the authorization succeeds. */
                            authorized: components["schemas"]["Money"];
                            /** @description Amount charged to the card; zero until the capture succeeds. */
                            captured: components["schemas"]["Money"];
                            /**
                             * Format: date-time
                             * @description Time at which the payment was requested.
                             */
                            created_at: string;
                            failure?: components["schemas"]["PaymentFailure"] | null;
                            /** @description Id of the payment. */
                            id: components["schemas"]["PaymentId"];
                            /** @description Id of the order that is paid; an order has exactly one payment. */
                            order_id: components["schemas"]["OrderId"];
                            /**
                             * @description The provider's token of the card.
                             * @example pm_card_ok
                             */
                            payment_method: string;
                            /** @description Sum of all refunds that have succeeded. */
                            refunded: components["schemas"]["Money"];
                            /** @description All refunds of the payment, oldest first. */
                            refunds: components["schemas"]["Refund"][];
                            /** @description Current status of the payment. */
                            status: components["schemas"]["payments.PaymentStatus"];
                            /**
                             * Format: date-time
                             * @description Time of the last change.
                             */
                            updated_at: string;
                        };
                        saga?: null | components["schemas"]["OrderSagas"];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such order, or it belongs to another user */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    cancel_order: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the order */
                id: components["schemas"]["OrderId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CancelOrder"];
            };
        };
        responses: {
            /** @description The order, which is being cancelled */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
            /** @description The body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such order, or it belongs to another user */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The order can no longer be cancelled */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The reason is not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    deliver_order: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the order */
                id: components["schemas"]["OrderId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivered order */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such order */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The order is not `shipped` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    stream_order_events: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `id` of the last event received. It is ignored if it is not a number, or above that of the order's newest event */
                "Last-Event-ID"?: string | null;
            };
            path: {
                /** @description Id of the order */
                id: components["schemas"]["OrderId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stream of events */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such order, or it belongs to another user */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The user has too many open streams */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The replica has too many open streams, or the database is unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    create_return: {
        parameters: {
            query?: never;
            header: {
                /** @description Send the same key when repeating the request: 1 to 255 visible ASCII characters */
                "Idempotency-Key": string;
            };
            path: {
                /** @description Id of the order */
                id: components["schemas"]["OrderId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateReturn"];
            };
        };
        responses: {
            /** @description The return is requested */
            202: {
                headers: {
                    /** @description Path of the order */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Return"];
                };
            };
            /** @description The Idempotency-Key is missing or not valid, or the body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such order, or it belongs to another user */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The order cannot be returned or was refunded in full, more would be returned than was bought, or a request with the same key is in progress */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description A field is not valid, or the key was already used with a different body */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    confirm_receipt: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the order */
                id: components["schemas"]["OrderId"];
                /** @description Id of the return */
                return_id: components["schemas"]["ReturnId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The return, whose refund has started */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Return"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such order, or it has no such return */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The return needs no receipt, or was received or refused before */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    refuse_return: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the order */
                id: components["schemas"]["OrderId"];
                /** @description Id of the return */
                return_id: components["schemas"]["ReturnId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RefuseReturn"];
            };
        };
        responses: {
            /** @description The refused return */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Return"];
                };
            };
            /** @description The body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such order, or it has no such return */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The return needs no receipt, or was received or refused before */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The reason is not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    get_saga: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the order */
                id: components["schemas"]["OrderId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The checkout and the sagas of the returns */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrderSagas"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such order, or it belongs to another user */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    ship_order: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the order */
                id: components["schemas"]["OrderId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ShipOrder"];
            };
        };
        responses: {
            /** @description The shipped order */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
            /** @description The body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such order */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The order is not `confirmed`, has an open return, or was refunded in full */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description A field is not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    list_payment_methods: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All payment methods */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PaymentMethods"];
                };
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    list_payments: {
        parameters: {
            query?: {
                /** @description Return only the payment of this order. */
                order_id?: components["schemas"]["OrderId"];
                /** @description Maximum number of payments in the page. */
                limit?: number;
                /** @description The `next_cursor` of the previous page; absent for the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of payments */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Payment"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A parameter is unknown or not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    get_payment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the payment */
                id: components["schemas"]["PaymentId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The payment */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Payment"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such payment, or it belongs to another user */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    create_refund: {
        parameters: {
            query?: never;
            header: {
                /** @description Send the same key when repeating the request: 1 to 255 visible ASCII characters */
                "Idempotency-Key": string;
            };
            path: {
                /** @description Id of the payment */
                id: components["schemas"]["PaymentId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateRefund"];
            };
        };
        responses: {
            /** @description The refund is recorded */
            202: {
                headers: {
                    /** @description Path of the payment */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Refund"];
                };
            };
            /** @description The Idempotency-Key is missing or not valid, or the body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such payment */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The amount exceeds what can still be refunded, nothing was captured, or a request with the same key is in progress */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description A field is not valid, or the key was already used with a different body */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    list_products: {
        parameters: {
            query?: {
                /**
                 * @description Search words, of which the first 8 count. Each must be the beginning of a word of the product in any language.
                 * @example green tea
                 */
                q?: string;
                /**
                 * @description Slug of a category; only its products are listed.
                 * @example tea
                 */
                category?: string;
                /** @description Lowest price in minor units, inclusive. */
                min_price?: number;
                /** @description Highest price in minor units, inclusive. */
                max_price?: number;
                /** @description Lists only products that are in stock (true) or out of stock (false). */
                in_stock?: boolean;
                /**
                 * @description Lists only these SKUs, separated by commas, at most 100. The default of `limit` is 100 if this is set.
                 * @example TEA-0001,TEA-0002
                 */
                skus?: string;
                /** @description Order of the list. `relevance` is the default and equals `name` if there is no `q`. */
                sort?: "relevance" | "price" | "-price" | "newest" | "name";
                /** @description Maximum number of items per page, 1 to 100. */
                limit?: number;
                /** @description The `next_cursor` of the previous page. The other parameters and the language must be the same. */
                cursor?: string;
            };
            header?: {
                /** @description Preferred languages, such as `de, en;q=0.5` */
                "accept-language"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of products */
            200: {
                headers: {
                    /** @description Preferred language, `en` or `de` */
                    "content-language"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description A parameter is invalid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            /** @description The database is unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    create_product: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewProduct"];
            };
        };
        responses: {
            /** @description The product was added */
            201: {
                headers: {
                    /** @description Entity tag of the first version */
                    etag?: string;
                    /** @description Path of the product */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
            /** @description The body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an administrator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A product with this SKU exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description A field is invalid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            /** @description The database is unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    get_product: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that the client has */
                "if-none-match"?: string | null;
                /** @description Preferred languages, such as `de, en;q=0.5` */
                "accept-language"?: string | null;
            };
            path: {
                /** @description SKU of the product */
                sku: components["schemas"]["Sku"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The product */
            200: {
                headers: {
                    /** @description How long the response may be cached */
                    "cache-control"?: string;
                    /** @description Language of the texts, `en` or `de` */
                    "content-language"?: string;
                    /** @description Entity tag of this version and language */
                    etag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
            /** @description The client has the current version */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description No product has this SKU */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            /** @description The database is unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    delete_product: {
        parameters: {
            query?: never;
            header: {
                /** @description ETag of the version that was read, or `*` for any version */
                "if-match": string;
            };
            path: {
                /** @description SKU of the product */
                sku: components["schemas"]["Sku"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The product was removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description No valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an administrator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No product has this SKU */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Orders hold units of the product */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The product has changed since it was read */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description If-Match is missing */
            428: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            /** @description The database is unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    update_product: {
        parameters: {
            query?: never;
            header: {
                /** @description ETag of the version that was read, or `*` for any version */
                "if-match": string;
            };
            path: {
                /** @description SKU of the product */
                sku: components["schemas"]["Sku"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProductChanges"];
            };
        };
        responses: {
            /** @description The changed product */
            200: {
                headers: {
                    /** @description Entity tag of the new version */
                    etag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
            /** @description The body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an administrator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No product has this SKU */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The product has changed since it was read */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description A field is invalid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description If-Match is missing */
            428: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            /** @description The database is unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    availability: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sku: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        available?: number;
                        in_stock?: boolean;
                        sku?: string;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
            /** @description An error, as problem details (RFC 9457) */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": Record<string, never>;
                };
            };
        };
    };
    get_image: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the image that the client has */
                "if-none-match"?: string | null;
            };
            path: {
                /** @description SKU of the product */
                sku: components["schemas"]["Sku"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The image */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/svg+xml": string;
                };
            };
            /** @description The client has the current image */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description No product has this SKU */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            /** @description The database is unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    get_stock: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description SKU of the product */
                sku: components["schemas"]["Sku"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stock levels */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StockLevels"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description No valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an administrator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No product has this SKU */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            /** @description The database is unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    adjust_stock: {
        parameters: {
            query?: never;
            header: {
                /** @description Unique value for this adjustment; send the same value with every retry */
                "Idempotency-Key": string;
            };
            path: {
                /** @description SKU of the product */
                sku: components["schemas"]["Sku"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StockAdjustment"];
            };
        };
        responses: {
            /** @description The levels after the adjustment */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StockLevels"];
                };
            };
            /** @description The Idempotency-Key is missing or malformed, or the body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an administrator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No product has this SKU */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description More units would be removed than are available, or a request with the same key is in progress */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description A field is invalid, or the key was used before with a different body */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            /** @description The database is unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    list_users: {
        parameters: {
            query?: {
                /** @description Return only accounts whose email address or name contains this text; case does not matter. */
                q?: string;
                /** @description Maximum number of accounts in the page. */
                limit?: number;
                /** @description The `next_cursor` of the previous page; absent for the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of accounts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_UserDetails"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A parameter is unknown or not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    get_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Profile"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account does not exist any more */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    patch_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PatchMe"];
            };
        };
        responses: {
            /** @description The changed account */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Profile"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request uses an API key; this requires a login */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account does not exist any more */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description A field is not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    list_addresses: {
        parameters: {
            query?: {
                /** @description Maximum number of items per page, 1 to 100. */
                limit?: number;
                /** @description The `next_cursor` of the previous page. Omit it to get the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of addresses */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_SavedAddress"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A parameter is unknown or not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    post_address: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Address"];
            };
        };
        responses: {
            /** @description The saved address */
            201: {
                headers: {
                    /** @description Path of the address */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedAddress"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The API key does not have the scope `order` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account has 50 addresses already */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description One or more fields are not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    put_address: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the saved address */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Address"];
            };
        };
        responses: {
            /** @description The changed address */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedAddress"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The API key does not have the scope `order` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller has no such address */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description One or more fields are not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    delete_address: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the saved address */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The address is deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The API key does not have the scope `order` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller has no such address */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    list_api_keys: {
        parameters: {
            query?: {
                /** @description Maximum number of items per page, 1 to 100. */
                limit?: number;
                /** @description The `next_cursor` of the previous page. Omit it to get the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of API keys */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ApiKey"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A parameter is unknown or not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    post_api_key: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PostApiKey"];
            };
        };
        responses: {
            /** @description The new key with its secret */
            201: {
                headers: {
                    /** @description Path of the key */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewApiKey"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid, or its session has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request uses an API key, or the caller is not an operator and requests the scope `admin` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account does not exist any more or is disabled */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account has 20 keys that have not expired */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description One or more fields are not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    delete_api_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the key */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key is deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request uses an API key; this requires a login */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller has no such key */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    put_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutPassword"];
            };
        };
        responses: {
            /** @description The password is changed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid, or its session has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request uses an API key; this requires a login */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The account does not exist any more */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description The current password is wrong, or the new one is refused */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong passwords; retry after the time in `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many passwords are being verified; retry after the time in `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: components["responses"]["GatewayTimeout"];
        };
    };
    list_sessions: {
        parameters: {
            query?: {
                /** @description Maximum number of items per page, 1 to 100. */
                limit?: number;
                /** @description The `next_cursor` of the previous page. Omit it to get the first page. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of sessions */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_Session"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A parameter is unknown or not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    delete_sessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All sessions have ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request uses an API key; this requires a login */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    patch_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of the account */
                id: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PatchUser"];
            };
        };
        responses: {
            /** @description The changed account */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserDetails"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description The access token is missing or not valid */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such account */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Operators cannot change their own account */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description A field is not valid */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
    receive_webhook: {
        parameters: {
            query?: never;
            header: {
                /** @description `t=` and the time of sending in seconds since 1970, then `,v1=` and the signature in hexadecimal */
                "Souk-Signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description The event is acknowledged */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The body is not an event */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The signature is missing, wrong or too old */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 64 KiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            504: components["responses"]["GatewayTimeout"];
        };
    };
}
