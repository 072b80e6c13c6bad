// Written by `npm run api` from the gateway's /openapi.json; not by hand.
export interface paths {
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The public keys of access tokens (RFC 7517). */
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
        /** This document as a page */
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
        /** The process lives */
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
        /** This document */
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
        /** The gateway can answer requests */
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
         * Joined from several services
         * @description Joined by the gateway: `orders` is `GET /v1/orders?limit=5`; `payments` is `GET /v1/payments?limit=5`; `profile` is `GET /v1/users/me`. What cannot be had is null and named in `degraded`.
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
         * @description Over all databases, at most every 5 seconds. An order that is under way is not judged.
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
    "/v1/admin/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List dead letters */
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
        /** Delete a dead letter */
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
         * @description The body, with a reason for the log, may be left out.
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
         * @description In demo mode only.
         */
        get: operations["list_faults"];
        /**
         * Set a fault switch
         * @description In demo mode only. It goes off by itself, on every replica.
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
        /** Get sales, funnel and latest orders */
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
        /** List the outboxes */
        get: operations["list_outboxes"];
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
        /** List sagas */
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
        /** Get a saga */
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
         * Undo what was done
         * @description Only before the command that moves the money is sent.
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
        /** Say how a parked step ended */
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
         * Send the awaited command again, now
         * @description Before the pivot, the saga's deadline starts again.
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
         * Read how sales went
         * @description Revenue by the hour, what sold best, how far orders came, and why they were rejected.
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
        /** The services behind the gateway, and how requests to them went */
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
         * Starts a session. An unknown address, a wrong password, and an account that is unverified or disabled look the same
         *     and take the same time. After five failures the client's address has to wait before the next attempt, and after five
         *     failures from anywhere so has every address. A browser in which the owner has logged in before waits only for its
         *     own failures.
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
        /** Ends the session of a refresh token, from the body or the cookie. An unknown one is ended already. */
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
         * Sends a link by which a forgotten password can be replaced, if there is an account with this address. The link works
         *     once, for 30 minutes. The answer is the same, and takes as long, whether or not the address is known. An account gets
         *     at most five such mails in an hour; further requests are accepted and send none.
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
         * Replaces a forgotten password. All sessions and API keys of the account end, and its other links to replace the
         *     password stop working. The address is verified by this, if it was not yet, and the browser counts as a known device
         *     at its next login. A refused password does not use the token up.
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
         * Exchanges a refresh token, from the body or the cookie, for the next pair. A token that was used before ends its
         *     whole session.
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
         * Registers an account. The answer is the same, and takes as long, whether or not the address is known; a mail to it says
         *     which. An address that was registered but not verified can be registered again: the newest name and password count,
         *     and only the newest mail verifies it. An account that is not verified is deleted after a week.
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
         * Sends the mail that verifies an address again, if an account with this address waits for it. The answer is the same,
         *     and takes as long, whether or not the address is known. An account gets at most five such mails in an hour; further
         *     requests are accepted and send none.
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
         * Verifies the address of a registered account, which can be used from then on. Registering the address again replaces
         *     the token.
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
         * Get the cart
         * @description Joined by the gateway: `availability` is `souk.inventory.v1.Inventory/Availability`; `cart` is `GET /v1/cart`; `products` is `GET /v1/products?limit=100&skus={cart/items/*\/sku}`. What cannot be had is null and named in `degraded`.
         */
        get: operations["get_cart"];
        put?: never;
        post?: never;
        /** Empty the cart */
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
        /** Put so many of a SKU into the cart */
        put: operations["put_item"];
        post?: never;
        /**
         * Take a SKU out of the cart
         * @description The same when it was not in it.
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
        /** All categories, in the language of `Accept-Language`, English or German. */
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
        /** List what is broken on purpose */
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
         * @description One's own of the last 30 days, newest first, in the language of `Accept-Language`.
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
        /** Mark all notifications as read */
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
         * @description Doing it again changes nothing.
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
        /** List orders */
        get: operations["list_orders"];
        put?: never;
        /**
         * Place an order
         * @description Answers before anything is reserved or charged: follow the order at `Location`. Answers 503 with `Retry-After` while so
         *     many checkouts are waiting that a new one could not be done in time.
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
         * Get an order
         * @description Joined by the gateway: `order` is `GET /v1/orders/{id}`; `payment` is `GET /v1/payments?order_id={id}`; `products` is `GET /v1/products?limit=100&skus={order/lines/*\/sku}`; `saga` is `GET /v1/orders/{id}/saga`. What cannot be had is null and named in `degraded`.
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
         * @description Answers when the cancellation is decided; the order is `cancelled` when everything is undone. Once the money moves it
         *     is too late: return the goods instead.
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
         * Deliver an order
         * @description From `shipped` to `delivered`. A body is not needed, and not read.
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
         * @description Server-Sent Events. First `event: snapshot` with an `OrderSnapshot`, then `event: change` with an `OrderChange` for each
         *     later event of the order, in order; the `id` is the event's number. With `Last-Event-ID` there is no snapshot, but the
         *     changes since. A comment every 15 seconds is a sign of life. The stream ends with the access token, and when the
         *     replica stops: come back with a fresh token and the last id. One person can have some 20 streams at once; 429 says that
         *     there are enough.
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
         * Return items
         * @description If the order has not been shipped, the money is refunded at once and the items are restocked. If it has, the return
         *     stays `requested` until an operator confirms that the items have arrived. While a return is open the order cannot be
         *     shipped. When everything has been returned the order is `returned`.
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
         * @description From `requested` to `received`; the refund begins, then the items are restocked. Only for a return that needs a receipt,
         *     and once. A body is not needed, and not read.
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
         * @description From `requested` to `refused`. Only for a return that needs a receipt: what had not been shipped is refunded at once.
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
        /** Get the timeline of a checkout, and those of the order's returns */
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
         * @description From `confirmed` to `shipped`. An order cannot be shipped while a return of it is open, nor once it has been refunded in
         *     full.
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
        /** List payment methods */
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
         * @description Newest first.
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
        /** Read a payment */
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
         * @description For operators only; a shopper gets money back by returning items. The refund is promised when this answers; the provider
         *     confirms it soon after, and the payment shows it.
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
        /** Products by search, filters and order, page by page; in the language of `Accept-Language`, English or German. */
        get: operations["list_products"];
        put?: never;
        /** Adds a product; 409 when the SKU is taken. */
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
        /** One product, in the language of `Accept-Language`, English or German; 304 when the client has it already. */
        get: operations["get_product"];
        put?: never;
        post?: never;
        /** Removes a product; 409 while orders hold units of it, 428 without `If-Match`, 412 when it has changed since. */
        delete: operations["delete_product"];
        options?: never;
        head?: never;
        /** Changes a product; 428 without `If-Match`, 412 when it has changed since. */
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
        /** souk.inventory.v1.Inventory/Availability, as JSON */
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
        /** The drawn picture of a product. */
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
        /** How many units of a product there are, and how many are promised. */
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
         * Adds or removes units; 409 when more would go than are available.
         * @description The key belongs to one user and one product. A request that is repeated is counted once and gets the same response.
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
        /** Accounts, newest first. */
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
        /** The caller's account. */
        get: operations["get_me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Changes the caller's account; what is absent stays. Not for API keys. */
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
        /** The caller's addresses, oldest first. */
        get: operations["list_addresses"];
        put?: never;
        /** Adds an address. */
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
        /** Replaces an address. */
        put: operations["put_address"];
        post?: never;
        /** Removes an address. Orders keep the copy they were made with. */
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
        /** The caller's keys, oldest first. */
        get: operations["list_api_keys"];
        put?: never;
        /** Creates a key. The secret is in this answer and in no other. Not for API keys: a key cannot create keys. */
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
        /** Deletes a key. The gateway refuses it within seconds. Not for API keys. */
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
         * Changes the password. All other sessions end, and so do all API keys, unless the request keeps them. Wrong current
         *     passwords are throttled as failed logins are, for this session alone. Not for API keys.
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
        /** The caller's sessions, newest first. */
        get: operations["list_sessions"];
        put?: never;
        post?: never;
        /**
         * Ends all sessions of the caller, this one too, and removes the browser's cookie. Access tokens given before stay good
         *     until they expire, and API keys stay valid. Not for API keys.
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
        /** Changes an account's roles, or disables it. Roles count from the account's next token, within ten minutes. */
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
         * Take in a provider's event
         * @description Signed over time and raw body. An event that is sent twice, or of an unknown type, is acknowledged.
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
        /** @description The request is accepted; a mail says what became of it. */
        Accepted: {
            /** @example accepted */
            status: string;
        };
        /** @description A fault that is switched on. */
        ActiveFault: {
            /** @description Its name. */
            name: components["schemas"]["Fault"];
            /**
             * @description In a few words.
             * @example Payments is unreachable
             */
            title: string;
            /**
             * Format: date-time
             * @description When it goes off by itself.
             */
            until: string;
        };
        /** @description What is broken on purpose. */
        ActiveFaults: {
            /** @description Nothing, outside demo mode. */
            items: components["schemas"]["ActiveFault"][];
        };
        /** @description Where to ship to. Validate it with [`Address::problems`] at the edge. */
        Address: {
            /** @description Town or city, 1 to 200 characters. */
            city: string;
            /**
             * @description ISO 3166-1 alpha-2.
             * @example DE
             */
            country: string;
            /** @description Street and number, 1 to 200 characters. */
            line1: string;
            /** @description Floor, flat, company. */
            line2?: string | null;
            /** @description Who receives it, 1 to 200 characters. */
            name: string;
            /** @description Telephone number, in any notation. */
            phone?: string | null;
            /** @description Postal code, 1 to 200 characters. */
            postal_code: string;
            /** @description State, province or county. */
            region?: string | null;
        };
        /** @description A key of the caller's, without the secret. */
        ApiKey: {
            /**
             * Format: date-time
             * @description When it was created.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description From when on it is refused. It is deleted 30 days later.
             */
            expires_at: string;
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /**
             * Format: date-time
             * @description When it was last used, give or take a minute.
             */
            last_used_at?: string | null;
            /** @description What its owner calls it. */
            name: string;
            /** @description How the secret begins. */
            prefix: string;
            /** @description What it may be used for. */
            scopes: components["schemas"]["Scope"][];
        };
        /** @description A product that sold. */
        BestSeller: {
            /** @description The category's key; absent if the catalogue has not told of the product. */
            category?: string | null;
            /** @description As it is called now. */
            name: string;
            /**
             * Format: int64
             * @description Pieces.
             */
            quantity: number;
            /** @description What was paid for them. */
            revenue: components["schemas"]["Money"];
            sku: string;
        };
        /** @description Why an order is given up. */
        CancelOrder: {
            /** @description At most 500 characters. */
            reason?: string | null;
        };
        /** @description What a shopper means to buy. */
        Cart: {
            /** @description Each SKU once, by SKU. */
            items: components["schemas"]["OrderItem"][];
        };
        /** @description All categories; there are few, so there is one page. */
        Categories: {
            /** @description In the shop's order. */
            items: components["schemas"]["Category"][];
            /** @description Always null. */
            next_cursor?: string | null;
        };
        /** @description A category of the catalog. */
        Category: {
            /**
             * @description For a shopper.
             * @example Tea
             */
            name: string;
            /**
             * Format: int64
             * @description Products in it.
             * @example 10
             */
            products: number;
            /**
             * @description Its key.
             * @example tea
             */
            slug: string;
        };
        /** @description How many are found in a category. */
        CategoryCount: {
            /**
             * Format: int64
             * @description Products found.
             */
            count: number;
            /** @description For a shopper. */
            name: string;
            /** @description Its key. */
            slug: string;
        };
        /**
         * Format: uuid
         * @description A command of a saga; the same at every resend, see [`CommandId::derive`].
         */
        CommandId: string;
        ConfirmPasswordReset: {
            /**
             * Format: password
             * @description The new password: 15 to 128 characters, none of the common ones.
             */
            password: string;
            /** @description The token of the mail's link; works once, for 30 minutes. */
            token: string;
        };
        /** @description What to give back. */
        CreateRefund: {
            amount?: components["schemas"]["Money"] | null;
            /** @description For the shopper and the books; 1 to 500 characters. */
            reason: string;
        };
        /** @description A request for a return. */
        CreateReturn: {
            /** @description Items of the order, each SKU once; not more than was bought and has not been returned yet. */
            items: components["schemas"]["OrderItem"][];
            /** @description Why, 1 to 500 characters. */
            reason: string;
        };
        /**
         * @description An ISO 4217 currency code: three capital letters.
         * @example EUR
         */
        Currency: string;
        /** @description A message that no attempt could handle. */
        DeadLetter: {
            /**
             * Format: int32
             * @description After how many attempts.
             */
            attempts: number;
            /** @description As text; what is no UTF-8 is replaced. */
            body: string;
            /**
             * Format: date-time
             * @description When it was buried.
             */
            died_at: string;
            /**
             * Format: uuid
             * @description Of this entry.
             */
            id: string;
            /** @description Its type. */
            kind: string;
            /**
             * Format: uuid
             * @description The sender's.
             */
            message_id: string;
            /** @description Where it was sent to. */
            queue: string;
            /** @description Why it was given up. */
            reason: string;
            /**
             * Format: uuid
             * @description Its saga.
             */
            saga_id: string;
        };
        /** @description Counts over all products that are found. */
        Facets: {
            /** @description By category, in the shop's order. */
            categories: components["schemas"]["CategoryCount"][];
            /**
             * Format: int64
             * @description How many can be bought now.
             */
            in_stock: number;
            /** @description The cheapest and the dearest. */
            price: components["schemas"]["PriceRange"];
        };
        /**
         * @description What can be broken.
         * @enum {string}
         */
        Fault: "inventory_unreachable" | "payments_unreachable" | "commands_duplicated" | "replies_lost" | "quotes_unavailable";
        /** @description The fault switches. */
        FaultList: {
            /** @description All of them. */
            items: components["schemas"]["FaultView"][];
        };
        /** @description A fault switch. */
        FaultView: {
            /** @description What it does, and what is to be seen of it. */
            description: string;
            /** @description Its name. */
            name: components["schemas"]["Fault"];
            /** @description Why. */
            reason?: string | null;
            set_by?: components["schemas"]["UserId"] | null;
            /**
             * @description In a few words.
             * @example Payments is unreachable
             */
            title: string;
            /**
             * Format: date-time
             * @description When it goes off by itself; null while it is off, as the rest is.
             */
            until?: string | null;
        };
        /** @description One thing wrong with a request. */
        FieldError: {
            /** @description What is expected there. */
            detail: string;
            /**
             * @description JSON pointer into the body, such as `/items/0/quantity`; for a query, `/` and the parameter's name.
             * @example /items/0/quantity
             */
            pointer: string;
        };
        /**
         * @description What happened to the goods.
         * @enum {string}
         */
        FulfilmentStatus: "unfulfilled" | "reserved" | "shipped" | "delivered" | "returned" | "cancelled";
        /** @description Orders that got so far. */
        Funnel: {
            /**
             * Format: int64
             * @description Money was reserved.
             */
            authorized: number;
            /**
             * Format: int64
             * @description Money was taken.
             */
            captured: number;
            /**
             * Format: int64
             * @description Done.
             */
            confirmed: number;
            /**
             * Format: int64
             * @description All.
             */
            placed: number;
            /**
             * Format: int64
             * @description Goods were held.
             */
            reserved: number;
        };
        /** @description An hour. */
        Hour: {
            /** Format: date-time */
            begins_at: string;
            /**
             * Format: int64
             * @description How many were confirmed.
             */
            orders: number;
            /** @description What was given back in that hour, of whatever order. */
            refunded: components["schemas"]["Money"];
            /** @description What was paid for them. */
            revenue: components["schemas"]["Money"];
        };
        /** @description One invariant. */
        Invariant: {
            /** @description How many things were looked at. */
            checked: number;
            /**
             * @description Stable; also the metric's label.
             * @example ledger_balances
             */
            name: string;
            /**
             * Format: int32
             * @description Its number in the list of what must always hold; some have several parts.
             */
            number: number;
            /**
             * @description Why this was not checked; absent where it was.
             * @example no Kafka is configured
             */
            skipped?: string | null;
            /**
             * @description For people.
             * @example the ledger balances
             */
            title: string;
            /** @description How many of them break it. */
            violated: number;
            /** @description Which, the first 50. */
            violations: string[];
        };
        /** @description A product in a list, with its stock at this moment. */
        ListedProduct: components["schemas"]["Product"] & {
            /**
             * Format: int64
             * @description Units that can be bought now.
             */
            available: number;
            /** @description Whether there is at least one. */
            in_stock: boolean;
        };
        LoginRequest: {
            /**
             * @description The account's address.
             * @example demo@souk.test
             */
            email: string;
            /**
             * Format: password
             * @description The account's password.
             */
            password: string;
            /** @description Where the refresh token goes. */
            session?: components["schemas"]["Transport"];
        };
        /** @description Where to send a mail, if there is an account. */
        MailRequest: {
            /**
             * Format: email
             * @description The mail address of an account.
             * @example ada@example.com
             */
            email: string;
        };
        /** @description Sales of the last 24 hours, and what is in work. */
        MetricsSummary: {
            /** @description The five products that sold best in the last seven days. */
            best_sellers: components["schemas"]["orders.BestSeller"][];
            /**
             * Format: int64
             * @description Those that nobody has dealt with.
             */
            dead_letters: number;
            /** @description How far they got. */
            funnel: components["schemas"]["Funnel"];
            /** @description The ten newest orders. */
            latest: components["schemas"]["Order"][];
            /** @description How they stand. */
            orders: components["schemas"]["OrderCounts"];
            /** @description Messages that wait for the broker. */
            outbox: components["schemas"]["OutboxFigures"];
            /** @description Why some of them were rejected, the most frequent reason first. */
            rejected_by_reason: components["schemas"]["ReasonCount"][];
            /** @description What they brought in, each hour and each currency that any of them was paid in. */
            revenue: components["schemas"]["RevenueHour"][];
            /** @description Those that are not at their end. */
            sagas: components["schemas"]["SagaFigures"];
            /**
             * Format: date-time
             * @description Orders placed from here on are counted: the start of the hour 23 hours ago.
             */
            since: string;
        };
        /** @description An amount in minor units (cents for EUR, yen for JPY) of one currency. */
        Money: {
            /**
             * Format: int64
             * @description Minor units; negative only where a field says so.
             * @example 1999
             */
            amount: number;
            /** @description ISO 4217. */
            currency: components["schemas"]["Currency"];
        };
        NewApiKey: components["schemas"]["ApiKey"] & {
            /** @description The secret, for `x-api-key`. Shown this once. */
            key: string;
        };
        /** @description A product to be. */
        NewProduct: {
            /** @description Further properties, at most 20. */
            attributes?: {
                [key: string]: string;
            };
            /**
             * @description Slug of a category.
             * @example tea
             */
            category: string;
            /** @description At most 5000 characters. */
            description: string;
            /** @description Its picture; drawn by Souk when there is none. */
            image?: string | null;
            /**
             * @description 1 to 200 characters.
             * @example Sencha Green Tea
             */
            name: string;
            /** @description Of one unit, more than 0. */
            price: components["schemas"]["Money"];
            /** @description Its key, for ever. */
            sku: components["schemas"]["Sku"];
            /** @description Its texts in other languages. */
            translations?: components["schemas"]["Translations"];
        };
        /** @description Something that happened to the shopper's account or orders. */
        Notification: {
            /** Format: date-time */
            created_at: string;
            /** Format: uuid */
            id: string;
            /**
             * @description `welcome`, `password_changed`, `order_confirmed`, `order_rejected`, `order_cancelled`, `order_shipped`,
             *     `order_delivered`, `return_refused` or `payment_refunded`; words may be added.
             */
            kind: string;
            order_id?: components["schemas"]["OrderId"] | null;
            /**
             * Format: date-time
             * @description When it was read; absent until then.
             */
            read_at?: string | null;
            /** @description As the title. */
            text: string;
            /** @description In the language of `Accept-Language`, English or German. */
            title: string;
        };
        /** @description One page of the list, and how many of the whole list are unread. */
        NotificationList: {
            /** @description Newest first. */
            items: components["schemas"]["Notification"][];
            /** @description For the next page; null on the last. */
            next_cursor?: string | null;
            /**
             * Format: int64
             * @description Of all, not only of this page.
             */
            unread: number;
        };
        /** @description An order. */
        Order: {
            /**
             * Format: date-time
             * @description When it was placed.
             */
            created_at: string;
            /** @description What happened to the goods. */
            fulfilment_status: components["schemas"]["FulfilmentStatus"];
            /** @description Its id. */
            id: components["schemas"]["OrderId"];
            /** @description What was bought, at the prices of that moment. */
            lines: components["schemas"]["OrderLine"][];
            /** @description The payment's id, which exists once payments was asked. */
            payment_id: components["schemas"]["PaymentId"];
            /**
             * @description The provider's token.
             * @example pm_card_ok
             */
            payment_method: string;
            /** @description What happened to the money. */
            payment_status: components["schemas"]["PaymentStatus"];
            /** @description Why it was rejected (`out_of_stock`, `payment_declined`, `timeout`) or cancelled. */
            reason?: string | null;
            /** @description Its returns, oldest first. */
            returns: components["schemas"]["Return"][];
            shipment?: components["schemas"]["Shipment"] | null;
            /** @description Where it goes. */
            shipping_address: components["schemas"]["Address"];
            /** @description Where it stands. */
            status: components["schemas"]["OrderStatus"];
            /** @description The sum of the lines. */
            total: components["schemas"]["Money"];
            /** @description The trace of its checkout. */
            trace_id?: string | null;
            /**
             * Format: date-time
             * @description When it last changed.
             */
            updated_at: string;
            /** @description Whose it is. */
            user_id: components["schemas"]["UserId"];
        };
        /** @description The data of `event: change`: what happened, and on the last of those that happened together how things are then. */
        OrderChange: {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /**
             * @description For a move of a saga: `saga_id`, `step`, `direction`, `outcome`, `attempt`, `saga_status`, and `next`, whose
             *     command was sent. For every change of the order its statuses.
             */
            data: Record<string, never>;
            order?: components["schemas"]["Order"] | null;
            saga?: components["schemas"]["OrderSagas"] | null;
            /**
             * @description Such as `payment_authorized`; `saga_progressed` where the order stays as it is.
             * @example payment_authorized
             */
            type: string;
        };
        /** @description Orders by their status. */
        OrderCounts: {
            /** @description Every status, also those that none has. */
            by_status: {
                [key: string]: number;
            };
            /**
             * Format: int64
             * @description All of them.
             */
            total: number;
        };
        /**
         * Format: uuid
         * @description An order; also the key under which inventory and payments do their work.
         */
        OrderId: string;
        /** @description So many of a SKU. */
        OrderItem: {
            /** @description How many. */
            quantity: components["schemas"]["Quantity"];
            /** @description What. */
            sku: components["schemas"]["Sku"];
        };
        /** @description A line of an order. */
        OrderLine: {
            /** @description The price, so many times. */
            line_total: components["schemas"]["Money"];
            /** @description Its name when it was ordered. */
            name: string;
            /** @description How many. */
            quantity: components["schemas"]["Quantity"];
            /** @description What. */
            sku: components["schemas"]["Sku"];
            /** @description Its price when it was ordered. */
            unit_price: components["schemas"]["Money"];
        };
        /** @description An order's checkout, and the sagas of what was sent back. */
        OrderSagas: components["schemas"]["SagaView"] & {
            /** @description A saga for each return whose refund has begun, in the order of the order's `returns`; its id is the return's. */
            returns: components["schemas"]["SagaView"][];
        };
        /** @description The data of `event: snapshot`: how things are. */
        OrderSnapshot: {
            /** @description The order. */
            order: components["schemas"]["Order"];
            /** @description Its checkout, and the sagas of its returns. */
            saga: components["schemas"]["OrderSagas"];
        };
        /**
         * @description Where an order stands.
         * @enum {string}
         */
        OrderStatus: "pending" | "confirmed" | "rejected" | "cancelled" | "shipped" | "delivered" | "returned";
        /** @description One outbox. */
        Outbox: {
            /**
             * Format: double
             * @description How long the first of them has waited; 0 when none waits.
             */
            oldest_age_seconds: number;
            /**
             * Format: int64
             * @description Messages that wait to be sent.
             */
            pending: number;
            /**
             * @description Whose.
             * @example orders
             */
            service: string;
        };
        /** @description Messages to be published. */
        OutboxFigures: {
            /**
             * Format: double
             * @description Of the oldest.
             */
            oldest_age_seconds?: number | null;
            /**
             * Format: int64
             * @description So many.
             */
            pending: number;
        };
        /** @description The outboxes of all services that have one. */
        Outboxes: {
            items: components["schemas"]["Outbox"][];
        };
        /** @description One page of a list. */
        Page_ApiKey: {
            /** @description The items, in the list's order. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was created.
                 */
                created_at: string;
                /**
                 * Format: date-time
                 * @description From when on it is refused. It is deleted 30 days later.
                 */
                expires_at: string;
                /**
                 * Format: uuid
                 * @description Its id.
                 */
                id: string;
                /**
                 * Format: date-time
                 * @description When it was last used, give or take a minute.
                 */
                last_used_at?: string | null;
                /** @description What its owner calls it. */
                name: string;
                /** @description How the secret begins. */
                prefix: string;
                /** @description What it may be used for. */
                scopes: components["schemas"]["Scope"][];
            }[];
            /** @description For the next page; null on the last. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_DeadLetter: {
            /** @description The items, in the list's order. */
            items: {
                /**
                 * Format: int32
                 * @description After how many attempts.
                 */
                attempts: number;
                /** @description As text; what is no UTF-8 is replaced. */
                body: string;
                /**
                 * Format: date-time
                 * @description When it was buried.
                 */
                died_at: string;
                /**
                 * Format: uuid
                 * @description Of this entry.
                 */
                id: string;
                /** @description Its type. */
                kind: string;
                /**
                 * Format: uuid
                 * @description The sender's.
                 */
                message_id: string;
                /** @description Where it was sent to. */
                queue: string;
                /** @description Why it was given up. */
                reason: string;
                /**
                 * Format: uuid
                 * @description Its saga.
                 */
                saga_id: string;
            }[];
            /** @description For the next page; null on the last. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_Order: {
            /** @description The items, in the list's order. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was placed.
                 */
                created_at: string;
                /** @description What happened to the goods. */
                fulfilment_status: components["schemas"]["FulfilmentStatus"];
                /** @description Its id. */
                id: components["schemas"]["OrderId"];
                /** @description What was bought, at the prices of that moment. */
                lines: components["schemas"]["OrderLine"][];
                /** @description The payment's id, which exists once payments was asked. */
                payment_id: components["schemas"]["PaymentId"];
                /**
                 * @description The provider's token.
                 * @example pm_card_ok
                 */
                payment_method: string;
                /** @description What happened to the money. */
                payment_status: components["schemas"]["PaymentStatus"];
                /** @description Why it was rejected (`out_of_stock`, `payment_declined`, `timeout`) or cancelled. */
                reason?: string | null;
                /** @description Its returns, oldest first. */
                returns: components["schemas"]["Return"][];
                shipment?: components["schemas"]["Shipment"] | null;
                /** @description Where it goes. */
                shipping_address: components["schemas"]["Address"];
                /** @description Where it stands. */
                status: components["schemas"]["OrderStatus"];
                /** @description The sum of the lines. */
                total: components["schemas"]["Money"];
                /** @description The trace of its checkout. */
                trace_id?: string | null;
                /**
                 * Format: date-time
                 * @description When it last changed.
                 */
                updated_at: string;
                /** @description Whose it is. */
                user_id: components["schemas"]["UserId"];
            }[];
            /** @description For the next page; null on the last. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_Payment: {
            /** @description The items, in the list's order. */
            items: {
                /** @description What was reserved. */
                authorized: components["schemas"]["Money"];
                /** @description What was taken. */
                captured: components["schemas"]["Money"];
                /**
                 * Format: date-time
                 * @description When it was asked for.
                 */
                created_at: string;
                failure?: components["schemas"]["PaymentFailure"] | null;
                /** @description Its id. */
                id: components["schemas"]["PaymentId"];
                /** @description The order it is for; an order has one payment. */
                order_id: components["schemas"]["OrderId"];
                /** @description The provider's token of the card. */
                payment_method: string;
                /** @description What went back. */
                refunded: components["schemas"]["Money"];
                /** @description Every refund, oldest first. */
                refunds: components["schemas"]["Refund"][];
                /** @description Where it stands. */
                status: components["schemas"]["payments.PaymentStatus"];
                /**
                 * Format: date-time
                 * @description When it last changed.
                 */
                updated_at: string;
            }[];
            /** @description For the next page; null on the last. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_SagaSummary: {
            /** @description The items, in the list's order. */
            items: {
                /**
                 * Format: int32
                 * @description How often its command was sent.
                 */
                attempts: number;
                awaiting?: components["schemas"]["CommandId"] | null;
                /**
                 * Format: date-time
                 * @description When it began.
                 */
                created_at: string;
                /** @description `checkout` or `return`. */
                definition: string;
                /** @description `do` or `undo`. */
                direction: string;
                /** @description Its id; a checkout's is its order's. */
                id: components["schemas"]["SagaId"];
                /** @description The last that went wrong. */
                last_error?: string | null;
                /** @description Whose. */
                order_id: components["schemas"]["OrderId"];
                /** @description Why it waits for an operator. */
                parked_reason?: string | null;
                /** @description `running`, `compensating`, `completed`, `compensated` or `parked`. */
                status: string;
                /** @description The step whose answer is, or was last, awaited. */
                step: string;
                /**
                 * Format: date-time
                 * @description When it last moved.
                 */
                updated_at: string;
            }[];
            /** @description For the next page; null on the last. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_SavedAddress: {
            /** @description The items, in the list's order. */
            items: {
                /** @description Town or city. */
                city: string;
                /** @description ISO 3166-1 alpha-2. */
                country: string;
                /**
                 * Format: date-time
                 * @description When it was added.
                 */
                created_at: string;
                /**
                 * Format: uuid
                 * @description Its id.
                 */
                id: string;
                /** @description Street and number. */
                line1: string;
                /** @description Floor, flat, company. */
                line2?: string | null;
                /** @description Who receives it. */
                name: string;
                /** @description Telephone number. */
                phone?: string | null;
                /** @description Postal code. */
                postal_code: string;
                /** @description State, province or county. */
                region?: string | null;
                /**
                 * Format: date-time
                 * @description When it last changed.
                 */
                updated_at: string;
            }[];
            /** @description For the next page; null on the last. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_Session: {
            /** @description The items, in the list's order. */
            items: {
                /**
                 * Format: date-time
                 * @description When it began.
                 */
                created_at: string;
                /** @description Whether this request comes from it. */
                current: boolean;
                /**
                 * Format: date-time
                 * @description When it ends at the latest.
                 */
                expires_at: string;
                /**
                 * Format: uuid
                 * @description Its id.
                 */
                id: string;
                /**
                 * Format: date-time
                 * @description When it last took a new access token.
                 */
                last_used_at: string;
            }[];
            /** @description For the next page; null on the last. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_UserDetails: {
            /** @description The items, in the list's order. */
            items: (components["schemas"]["Profile"] & {
                /** @description Whether it is kept from logging in. */
                disabled: boolean;
                /** @description Whether its address is confirmed. */
                verified: boolean;
            })[];
            /** @description For the next page; null on the last. */
            next_cursor?: string | null;
        };
        PatchMe: {
            /** @description What to call the owner, 1 to 200 characters. */
            name?: string | null;
        };
        PatchUser: {
            /** @description Whether it is kept from logging in; its sessions end. */
            disabled?: boolean | null;
            /** @description Why, for the record; at most 500 characters. */
            reason?: string | null;
            /** @description All roles that the account shall have, at least one. */
            roles?: components["schemas"]["Role"][] | null;
        };
        /** @description A payment. */
        Payment: {
            /** @description What was reserved. */
            authorized: components["schemas"]["Money"];
            /** @description What was taken. */
            captured: components["schemas"]["Money"];
            /**
             * Format: date-time
             * @description When it was asked for.
             */
            created_at: string;
            failure?: components["schemas"]["PaymentFailure"] | null;
            /** @description Its id. */
            id: components["schemas"]["PaymentId"];
            /** @description The order it is for; an order has one payment. */
            order_id: components["schemas"]["OrderId"];
            /** @description The provider's token of the card. */
            payment_method: string;
            /** @description What went back. */
            refunded: components["schemas"]["Money"];
            /** @description Every refund, oldest first. */
            refunds: components["schemas"]["Refund"][];
            /** @description Where it stands. */
            status: components["schemas"]["payments.PaymentStatus"];
            /**
             * Format: date-time
             * @description When it last changed.
             */
            updated_at: string;
        };
        /** @description Why the provider refused. */
        PaymentFailure: {
            /** @description A word for programs, such as `card_declined`. */
            code: string;
            /** @description A sentence for the shopper. */
            message: string;
        };
        /**
         * Format: uuid
         * @description A payment, one an order.
         */
        PaymentId: string;
        /** @description A way to pay. */
        PaymentMethod: {
            /** @description What the provider will do. */
            description: string;
            /** @description To be sent as `payment_method` of an order. */
            id: string;
            /** @description For the shopper. */
            name: string;
            /** @description How an order ends that is paid with it: `confirmed` or `rejected`. */
            outcome: string;
        };
        PaymentMethods: {
            items: components["schemas"]["PaymentMethod"][];
        };
        /**
         * @description What happened to the money, as far as orders knows.
         * @enum {string}
         */
        PaymentStatus: "pending" | "authorized" | "captured" | "voided" | "failed" | "partially_refunded" | "refunded";
        /** @description A new order. */
        PlaceOrder: {
            /** @description What to buy, 1 to 50 lines, each SKU once. The cart when it is absent; the cart is then emptied. */
            items?: components["schemas"]["OrderItem"][] | null;
            /**
             * @description The provider's token, `pm_` and 1 to 61 letters, digits and underscores.
             * @example pm_card_ok
             */
            payment_method: string;
            /** @description Where to ship to. */
            shipping_address: components["schemas"]["Address"];
        };
        PostApiKey: {
            /**
             * Format: date-time
             * @description From when on it is refused: at most 366 days from now, in 90 days if this is absent.
             */
            expires_at?: string | null;
            /** @description What to call it, 1 to 200 characters. */
            name: string;
            /** @description What it may be used for; `read` if this is absent. `admin` is for operators only. */
            scopes?: components["schemas"]["Scope"][];
        };
        /** @description In minor units, as `min_price` and `max_price` are; null when nothing is found. */
        PriceRange: {
            /**
             * Format: int64
             * @description The dearest.
             */
            max?: number | null;
            /**
             * Format: int64
             * @description The cheapest.
             */
            min?: number | null;
        };
        /** @description The body of an error answer (RFC 9457). */
        Problem: {
            /** @description This occurrence, for a person. */
            detail: string;
            /** @description For 422: every field that is wrong. */
            errors?: components["schemas"]["FieldError"][];
            /** @description The path that was asked for. */
            instance?: string | null;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description The kind, for a person. */
            title: string;
            /** @description Under which the logs and traces have more. */
            trace_id?: string | null;
            /**
             * @description Names the kind of problem; stable.
             * @example https://souk.test/problems/invalid-request
             */
            type: string;
        };
        /** @description A product as clients see it. */
        Product: {
            /** @description Further properties. */
            attributes: {
                [key: string]: string;
            };
            /** @description Slug of its category. */
            category: string;
            /**
             * Format: date-time
             * @description When it was added.
             */
            created_at: string;
            /** @description What it is, for a shopper. */
            description: string;
            /** @description Where its picture is. */
            image: string;
            /** @description What it is called. */
            name: string;
            /** @description Of one unit. */
            price: components["schemas"]["Money"];
            /** @description Its key. */
            sku: components["schemas"]["Sku"];
            /**
             * Format: int64
             * @description Counts the changes; the `ETag` is `"v{version}"`, and `"v{version}-de"` of a translation.
             * @example 1
             */
            version: number;
        };
        /** @description What to change; what is absent stays. */
        ProductChanges: {
            /** @description All further properties anew. */
            attributes?: {
                [key: string]: string;
            } | null;
            /** @description Slug of a category. */
            category?: string | null;
            /** @description At most 5000 characters. */
            description?: string | null;
            /** @description Its picture; null for the one that Souk draws. */
            image?: string | null;
            /** @description 1 to 200 characters. */
            name?: string | null;
            price?: components["schemas"]["Money"] | null;
            translations?: components["schemas"]["Translations"] | null;
        };
        /** @description A page of products and what a shopper could narrow it by. */
        ProductPage: {
            /** @description Counts over all pages. Each ignores its own filter, so that it shows what another choice would find. */
            facets: components["schemas"]["Facets"];
            /** @description The products. */
            items: components["schemas"]["ListedProduct"][];
            /** @description For the next page; null on the last. */
            next_cursor?: string | null;
        };
        /** @description An account as its owner sees it. */
        Profile: {
            /**
             * Format: date-time
             * @description When it was registered.
             */
            created_at: string;
            /** @description Its address. */
            email: string;
            /** @description The account's id. */
            id: components["schemas"]["UserId"];
            /** @description What to call its owner. */
            name: string;
            /** @description What it may do. */
            roles: components["schemas"]["Role"][];
            /**
             * Format: date-time
             * @description When it last changed.
             */
            updated_at: string;
        };
        /** @description How many. */
        PutItem: {
            /** @description Instead of how many there were. */
            quantity: components["schemas"]["Quantity"];
        };
        PutPassword: {
            /**
             * Format: password
             * @description The current one.
             */
            current_password: string;
            /** @description Whether the account's API keys stay valid. Otherwise all of them end. */
            keep_api_keys?: boolean;
            /**
             * Format: password
             * @description 15 to 128 characters, none of the common ones.
             */
            new_password: string;
        };
        /**
         * Format: int64
         * @description How many of a SKU one order line may ask for: 1 to 99.
         * @example 2
         */
        Quantity: number;
        /** @description Orders rejected for a reason. */
        ReasonCount: {
            /**
             * Format: int64
             * @description So many.
             */
            count: number;
            /** @description `out_of_stock`, `payment_declined` or `timeout`. */
            reason: string;
        };
        /** @description The body of refresh and logout; none for a browser, whose cookie counts. */
        RefreshRequest: {
            /** @description As the login or the last refresh gave it. */
            refresh_token: string;
        };
        /** @description A refund. */
        Refund: {
            /** @description What goes back. */
            amount: components["schemas"]["Money"];
            /**
             * Format: date-time
             * @description When it was asked for.
             */
            created_at: string;
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /** @description Why it was asked for. */
            reason: string;
            /** @description Where it stands. */
            status: components["schemas"]["RefundStatus"];
        };
        /**
         * @description Where a refund stands.
         * @enum {string}
         */
        RefundStatus: "pending" | "succeeded" | "failed";
        /** @description Why a return is refused. */
        RefuseReturn: {
            /** @description For the shopper, 1 to 500 characters. */
            reason: string;
        };
        RegisterRequest: {
            /**
             * Format: email
             * @description A mail address.
             * @example ada@example.com
             */
            email: string;
            /** @description What to call the owner, 1 to 200 characters. */
            name: string;
            /**
             * Format: password
             * @description 15 to 128 characters, none of the common ones.
             */
            password: string;
        };
        /** @description Why orders were rejected. */
        Rejection: {
            /**
             * Format: int64
             * @description How many.
             */
            orders: number;
            /** @description `out_of_stock`, `payment_declined`, `timeout`; words may be added. */
            reason: string;
        };
        /** @description What the audit found. */
        Report: {
            /**
             * Format: date-time
             * @description When.
             */
            checked_at: string;
            /** @description Whether every invariant that was checked holds. */
            clean: boolean;
            /**
             * Format: int64
             * @description How long it took.
             */
            duration_ms: number;
            /** @description All of them. */
            invariants: components["schemas"]["Invariant"][];
        };
        /**
         * @description What came of a step.
         * @enum {string}
         */
        Resolution: "done" | "refused";
        /** @description How a parked step ended, as the operator has found out. */
        Resolve: {
            outcome?: components["schemas"]["Resolution"] | null;
            /** @description For the log, 1 to 500 characters. */
            reason: string;
        };
        /** @description Items of an order that are returned. */
        Return: {
            /** @description The refund: the price of the items, or what remained of the payment if an operator had refunded a part of it. */
            amount: components["schemas"]["Money"];
            /**
             * Format: date-time
             * @description When it was requested.
             */
            created_at: string;
            /** @description Its id, which is also its saga's. */
            id: components["schemas"]["ReturnId"];
            /** @description The returned items. */
            items: components["schemas"]["OrderItem"][];
            /**
             * @description Whether the items had been shipped when the return was requested, so that an operator must confirm that they have
             *     arrived before anything is refunded. Items that had not been shipped are refunded at once.
             */
            needs_receipt?: boolean;
            /** @description Why the shopper returns the items. */
            reason: string;
            /** @description Why an operator refused the return. */
            refusal_reason?: string | null;
            /** @description How far it is. */
            status: components["schemas"]["ReturnStatus"];
            /**
             * Format: date-time
             * @description When it last changed.
             */
            updated_at: string;
        };
        /**
         * Format: uuid
         * @description Goods that come back.
         */
        ReturnId: string;
        /**
         * @description How far a return is.
         * @enum {string}
         */
        ReturnStatus: "requested" | "received" | "refunded" | "completed" | "refused";
        /** @description What an hour brought in. */
        RevenueHour: {
            /** @description Taken for orders placed in it, less what went back. */
            amount: components["schemas"]["Money"];
            /**
             * Format: date-time
             * @description Its start.
             */
            hour: string;
            /**
             * Format: int64
             * @description So many orders.
             */
            orders: number;
        };
        /**
         * @description What an account may do.
         * @enum {string}
         */
        Role: "customer" | "admin";
        /** @description Sagas in work. */
        SagaFigures: {
            /**
             * Format: int64
             * @description Going back.
             */
            compensating: number;
            /**
             * Format: double
             * @description Of the oldest that runs or compensates.
             */
            oldest_active_age_seconds?: number | null;
            /**
             * Format: int64
             * @description Waiting for an operator.
             */
            parked: number;
            /**
             * Format: int64
             * @description Going forward.
             */
            running: number;
        };
        /**
         * Format: uuid
         * @description A saga; a checkout's saga has the id of its order.
         */
        SagaId: string;
        /**
         * @description Where a saga is.
         * @enum {string}
         */
        SagaStatus: "running" | "compensating" | "completed" | "compensated" | "parked";
        /** @description A saga in a list. */
        SagaSummary: {
            /**
             * Format: int32
             * @description How often its command was sent.
             */
            attempts: number;
            awaiting?: components["schemas"]["CommandId"] | null;
            /**
             * Format: date-time
             * @description When it began.
             */
            created_at: string;
            /** @description `checkout` or `return`. */
            definition: string;
            /** @description `do` or `undo`. */
            direction: string;
            /** @description Its id; a checkout's is its order's. */
            id: components["schemas"]["SagaId"];
            /** @description The last that went wrong. */
            last_error?: string | null;
            /** @description Whose. */
            order_id: components["schemas"]["OrderId"];
            /** @description Why it waits for an operator. */
            parked_reason?: string | null;
            /** @description `running`, `compensating`, `completed`, `compensated` or `parked`. */
            status: string;
            /** @description The step whose answer is, or was last, awaited. */
            step: string;
            /**
             * Format: date-time
             * @description When it last moved.
             */
            updated_at: string;
        };
        /** @description A saga and how it went so far. */
        SagaView: {
            /**
             * Format: date-time
             * @description When it began.
             */
            created_at: string;
            /** @description `checkout` or `return`. */
            definition: string;
            /** @description Its id; a checkout's is its order's. */
            id: components["schemas"]["SagaId"];
            /** @description Whose. */
            order_id: components["schemas"]["OrderId"];
            /** @description Why it waits for an operator. */
            parked_reason?: string | null;
            /**
             * @description `running`, `compensating`, `parked`, `completed` or `compensated`.
             * @example completed
             */
            status: string;
            /** @description In the order of the saga, then what was undone, in that order. */
            steps: components["schemas"]["StepView"][];
            /** @description The trace it began in. */
            trace_id?: string | null;
            /**
             * Format: date-time
             * @description When it last moved.
             */
            updated_at: string;
        };
        /** @description How sales went. It follows the events, and so is some seconds behind. */
        Sales: {
            /** @description What sold most pieces, ten at most. */
            best_sellers: components["schemas"]["BestSeller"][];
            /** Format: date-time */
            from: string;
            /** @description How many of the orders placed in that time came to each step. */
            funnel: components["schemas"]["Step"][];
            /** @description Each hour in which something was sold or refunded, oldest first; one entry a currency. */
            hours: components["schemas"]["Hour"][];
            /** @description Why orders were rejected in that time, the most frequent reason first. */
            rejections: components["schemas"]["Rejection"][];
            /** Format: date-time */
            to: string;
        };
        /** @description An address of the caller's. */
        SavedAddress: {
            /** @description Town or city. */
            city: string;
            /** @description ISO 3166-1 alpha-2. */
            country: string;
            /**
             * Format: date-time
             * @description When it was added.
             */
            created_at: string;
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /** @description Street and number. */
            line1: string;
            /** @description Floor, flat, company. */
            line2?: string | null;
            /** @description Who receives it. */
            name: string;
            /** @description Telephone number. */
            phone?: string | null;
            /** @description Postal code. */
            postal_code: string;
            /** @description State, province or county. */
            region?: string | null;
            /**
             * Format: date-time
             * @description When it last changed.
             */
            updated_at: string;
        };
        /**
         * @description Something that an API key may be used for.
         * @enum {string}
         */
        Scope: "read" | "order" | "admin";
        /** @description A login of the caller's that is good still. */
        Session: {
            /**
             * Format: date-time
             * @description When it began.
             */
            created_at: string;
            /** @description Whether this request comes from it. */
            current: boolean;
            /**
             * Format: date-time
             * @description When it ends at the latest.
             */
            expires_at: string;
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /**
             * Format: date-time
             * @description When it last took a new access token.
             */
            last_used_at: string;
        };
        /** @description A switch to set. */
        SetFault: {
            /** @description Which. */
            name: components["schemas"]["Fault"];
            /** @description For the log, 1 to 500 characters. */
            reason: string;
            /**
             * Format: int32
             * @description For how long, 1 to 900; 0 switches it off.
             */
            seconds: number;
        };
        /** @description How the goods are sent. */
        ShipOrder: {
            /** @description At most 100 characters. */
            carrier?: string | null;
            /** @description At most 100 characters. */
            tracking_number?: string | null;
        };
        /** @description How an order was sent. */
        Shipment: {
            /** @description Who carries it. */
            carrier?: string | null;
            /**
             * Format: date-time
             * @description When it arrived.
             */
            delivered_at?: string | null;
            /**
             * Format: date-time
             * @description When it left.
             */
            shipped_at: string;
            /** @description The carrier's number. */
            tracking_number?: string | null;
        };
        /**
         * @description A stock-keeping unit: 1 to 64 of `[A-Za-z0-9._-]`.
         * @example TEA-0001
         */
        Sku: string;
        /** @description A step of the funnel. */
        Step: {
            /**
             * Format: int64
             * @description How many came there.
             */
            orders: number;
            /**
             * @description `placed`, `reserved`, `authorized`, `captured`, `confirmed`, `shipped`, `delivered`, and how an order can end
             *     otherwise: `returned`, `rejected`, `cancelled`.
             */
            step: string;
        };
        /**
         * @description How a step stands.
         * @enum {string}
         */
        StepState: "pending" | "running" | "done" | "refused" | "silent" | "parked" | "skipped";
        /** @description A step, done or undone. */
        StepView: {
            actor?: components["schemas"]["UserId"] | null;
            /**
             * Format: int32
             * @description How often its command was sent.
             */
            attempts: number;
            command_id?: components["schemas"]["CommandId"] | null;
            /** @description The same for a person. */
            detail?: string | null;
            /** @description `do` or `undo`. */
            direction: string;
            /**
             * Format: date-time
             * @description When it was answered, or given up.
             */
            finished_at?: string | null;
            /** @description Which. */
            name: string;
            /** @description Whether doing it is the point of no return. */
            pivot: boolean;
            /** @description Why it was refused, given up or parked. */
            reason?: string | null;
            /** @description Who performs it. */
            service: string;
            /**
             * Format: date-time
             * @description When it was sent first.
             */
            started_at?: string | null;
            /** @description How it stands. */
            state: components["schemas"]["StepState"];
        };
        /** @description By how much and why. */
        StockAdjustment: {
            /**
             * Format: int64
             * @description Units that came (positive) or went (negative).
             * @example 25
             */
            delta: number;
            /**
             * @description Why, 1 to 200 characters.
             * @example stocktaking
             */
            reason: string;
        };
        /** @description The units of a SKU; `on_hand = available + held`. */
        StockLevels: {
            /**
             * Format: int64
             * @description Can be reserved.
             */
            available: number;
            /**
             * Format: int64
             * @description Left for good, ever.
             */
            committed: number;
            /**
             * Format: int64
             * @description Held by orders.
             */
            held: number;
            /**
             * Format: int64
             * @description In the warehouse.
             */
            on_hand: number;
            /**
             * Format: int64
             * @description Came back, ever.
             */
            restocked: number;
            /** @description Which. */
            sku: string;
        };
        /** @description The answer to a login. */
        TokenResponse: {
            /** @description A JWT (RFC 9068) for `Authorization: Bearer`. */
            access_token: string;
            /**
             * Format: int64
             * @description Seconds until the access token expires.
             * @example 600
             */
            expires_in: number;
            /** @description For the next access token; opaque, good once. Absent when it is in the cookie. */
            refresh_token?: string | null;
            /**
             * @description Always `Bearer`.
             * @example Bearer
             */
            token_type: string;
        };
        /** @description A product's texts in one language. */
        Translation: {
            /** @description Those of the further properties that read otherwise in this language. */
            attributes?: {
                [key: string]: string;
            };
            /** @description What it is, for a shopper. */
            description: string;
            /**
             * @description What it is called.
             * @example Sencha Grüntee
             */
            name: string;
        };
        /** @description A product's texts in other languages than English. */
        Translations: {
            de?: components["schemas"]["Translation"] | null;
        };
        /**
         * @description How a client keeps its refresh token.
         * @enum {string}
         */
        Transport: "token" | "cookie";
        /** @description An account as an operator sees it. */
        UserDetails: components["schemas"]["Profile"] & {
            /** @description Whether it is kept from logging in. */
            disabled: boolean;
            /** @description Whether its address is confirmed. */
            verified: boolean;
        };
        /**
         * Format: uuid
         * @description An account.
         */
        UserId: string;
        VerifyRequest: {
            /** @description The token of the mail's link; works once, for a day. */
            token: string;
        };
        /** @description Why an operator acts. */
        Why: {
            /** @description For the log, 1 to 500 characters. */
            reason: string;
        };
        /** @description A product that sells. */
        "orders.BestSeller": {
            /** @description As it was called last. */
            name: string;
            /**
             * Format: int64
             * @description So many were paid.
             */
            quantity: number;
            /** @description For so much. */
            revenue: components["schemas"]["Money"];
            /** @description Which. */
            sku: components["schemas"]["Sku"];
        };
        /**
         * @description Where a payment stands.
         * @enum {string}
         */
        "payments.PaymentStatus": "created" | "authorizing" | "authorized" | "capturing" | "captured" | "partially_refunded" | "refunded" | "voiding" | "voided" | "failed" | "expired";
    };
    responses: never;
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
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
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
            /** @description An error (RFC 9457) */
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
            /** @description An error (RFC 9457) */
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
            /** @description An error (RFC 9457) */
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
            /** @description An error (RFC 9457) */
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
                        degraded: string[];
                        orders?: null | {
                            /**
                             * Format: date-time
                             * @description When it was placed.
                             */
                            created_at: string;
                            /** @description What happened to the goods. */
                            fulfilment_status: components["schemas"]["FulfilmentStatus"];
                            /** @description Its id. */
                            id: components["schemas"]["OrderId"];
                            /** @description What was bought, at the prices of that moment. */
                            lines: components["schemas"]["OrderLine"][];
                            /** @description The payment's id, which exists once payments was asked. */
                            payment_id: components["schemas"]["PaymentId"];
                            /**
                             * @description The provider's token.
                             * @example pm_card_ok
                             */
                            payment_method: string;
                            /** @description What happened to the money. */
                            payment_status: components["schemas"]["PaymentStatus"];
                            /** @description Why it was rejected (`out_of_stock`, `payment_declined`, `timeout`) or cancelled. */
                            reason?: string | null;
                            /** @description Its returns, oldest first. */
                            returns: components["schemas"]["Return"][];
                            shipment?: components["schemas"]["Shipment"] | null;
                            /** @description Where it goes. */
                            shipping_address: components["schemas"]["Address"];
                            /** @description Where it stands. */
                            status: components["schemas"]["OrderStatus"];
                            /** @description The sum of the lines. */
                            total: components["schemas"]["Money"];
                            /** @description The trace of its checkout. */
                            trace_id?: string | null;
                            /**
                             * Format: date-time
                             * @description When it last changed.
                             */
                            updated_at: string;
                            /** @description Whose it is. */
                            user_id: components["schemas"]["UserId"];
                        }[];
                        payments?: null | {
                            /** @description What was reserved. */
                            authorized: components["schemas"]["Money"];
                            /** @description What was taken. */
                            captured: components["schemas"]["Money"];
                            /**
                             * Format: date-time
                             * @description When it was asked for.
                             */
                            created_at: string;
                            failure?: components["schemas"]["PaymentFailure"] | null;
                            /** @description Its id. */
                            id: components["schemas"]["PaymentId"];
                            /** @description The order it is for; an order has one payment. */
                            order_id: components["schemas"]["OrderId"];
                            /** @description The provider's token of the card. */
                            payment_method: string;
                            /** @description What went back. */
                            refunded: components["schemas"]["Money"];
                            /** @description Every refund, oldest first. */
                            refunds: components["schemas"]["Refund"][];
                            /** @description Where it stands. */
                            status: components["schemas"]["payments.PaymentStatus"];
                            /**
                             * Format: date-time
                             * @description When it last changed.
                             */
                            updated_at: string;
                        }[];
                        profile?: components["schemas"]["Profile"];
                    };
                };
            };
            /** @description An error (RFC 9457) */
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
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Report"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_dead_letters: {
        parameters: {
            query?: {
                /** @description Items a page, 1 to 100. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
            };
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
                    "application/json": components["schemas"]["Page_DeadLetter"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_dead_letter: {
        parameters: {
            query?: {
                /** @description For the log, 1 to 500 characters. */
                reason?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    redrive_dead_letter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Why"] | null;
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
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
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FaultList"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
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
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FaultList"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
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
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MetricsSummary"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
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
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Outboxes"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_sagas: {
        parameters: {
            query?: {
                /** @description Only in this status. */
                status?: components["schemas"]["SagaStatus"];
                /** @description Items a page, 1 to 100. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
            };
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
                    "application/json": components["schemas"]["Page_SagaSummary"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_any_saga: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SagaId"];
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
                    "application/json": components["schemas"]["SagaView"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    compensate_saga: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SagaId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Why"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SagaView"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resolve_saga: {
        parameters: {
            query?: never;
            header?: never;
            path: {
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
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SagaView"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retry_saga: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["SagaId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Why"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SagaView"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_sales: {
        parameters: {
            query?: {
                /** @description From then on; seven days before `to` unless told. */
                from?: string;
                /** @description Until before then; now unless told. */
                to?: string;
            };
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
                    "application/json": components["schemas"]["Sales"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
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
                            /** @description What keeps a route from asking it when it fails: one for each route whose policies name a breaker */
                            breakers: {
                                /** @description What the rates are of */
                                calls: number;
                                failure_rate: number;
                                /** @description Until an open one lets a few calls through, to see how they do */
                                retry_in_seconds: number | null;
                                route: string;
                                slow_rate: number;
                                /** @enum {string} */
                                state: "closed" | "open" | "half_open";
                            }[];
                            /** @enum {string} */
                            discover: "static" | "dns";
                            instances: {
                                address: string;
                                failures: number;
                                in_flight: number;
                                last_failure: {
                                    /** Format: date-time */
                                    at: string;
                                    reason: string;
                                } | null;
                                requests: number;
                            }[];
                            name: string;
                            /** @enum {string} */
                            protocol: "http" | "grpc";
                        }[];
                        next_cursor: null;
                    };
                };
            };
            /** @description An error (RFC 9457) */
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
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenResponse"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many failed logins. After `Retry-After` the next attempt from the same address is checked */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many logins at the moment; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    log_out: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RefreshRequest"] | null;
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description By cookie from another origin */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
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
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
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
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many passwords are checked at the moment; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    refresh_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RefreshRequest"] | null;
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenResponse"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description By cookie from another origin */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    register_account: {
        parameters: {
            query?: never;
            header?: {
                /** @description The language of mail to the owner, English or German. */
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
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
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
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
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
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
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
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cart"] & {
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
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
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
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_item: {
        parameters: {
            query?: never;
            header?: never;
            path: {
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
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cart"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_item: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sku: components["schemas"]["Sku"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_categories: {
        parameters: {
            query?: never;
            header?: {
                "accept-language"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "cache-control"?: string;
                    "content-language"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Categories"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
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
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActiveFaults"];
                };
            };
        };
    };
    list_notifications: {
        parameters: {
            query?: {
                /** @description Items a page, 1 to 100. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
            };
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
                    "application/json": components["schemas"]["NotificationList"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
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
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_notification: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such notification, or someone else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_orders: {
        parameters: {
            query?: {
                /** @description Only in this status. */
                status?: components["schemas"]["OrderStatus"];
                /** @description Everybody's; for operators. */
                all?: boolean;
                /** @description Items a page, 1 to 100. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
            };
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
                    "application/json": components["schemas"]["Page_Order"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    place_order: {
        parameters: {
            query?: never;
            header: {
                /** @description The same at every repetition */
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
            /** @description Accepted */
            202: {
                headers: {
                    /** @description The order */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_order: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["OrderId"];
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
                    "application/json": components["schemas"]["Order"] & {
                        degraded: string[];
                        lines?: {
                            product?: null | components["schemas"]["ListedProduct"];
                        }[];
                        payment?: null | {
                            /** @description What was reserved. */
                            authorized: components["schemas"]["Money"];
                            /** @description What was taken. */
                            captured: components["schemas"]["Money"];
                            /**
                             * Format: date-time
                             * @description When it was asked for.
                             */
                            created_at: string;
                            failure?: components["schemas"]["PaymentFailure"] | null;
                            /** @description Its id. */
                            id: components["schemas"]["PaymentId"];
                            /** @description The order it is for; an order has one payment. */
                            order_id: components["schemas"]["OrderId"];
                            /** @description The provider's token of the card. */
                            payment_method: string;
                            /** @description What went back. */
                            refunded: components["schemas"]["Money"];
                            /** @description Every refund, oldest first. */
                            refunds: components["schemas"]["Refund"][];
                            /** @description Where it stands. */
                            status: components["schemas"]["payments.PaymentStatus"];
                            /**
                             * Format: date-time
                             * @description When it last changed.
                             */
                            updated_at: string;
                        };
                        saga?: null | components["schemas"]["OrderSagas"];
                    };
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancel_order: {
        parameters: {
            query?: never;
            header?: never;
            path: {
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
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deliver_order: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["OrderId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stream_order_events: {
        parameters: {
            query?: never;
            header?: {
                /** @description The last `id` that was seen */
                "Last-Event-ID"?: string | null;
            };
            path: {
                id: components["schemas"]["OrderId"];
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
                    "text/event-stream": string;
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too Many Requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_return: {
        parameters: {
            query?: never;
            header: {
                /** @description The same at every repetition */
                "Idempotency-Key": string;
            };
            path: {
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
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Return"];
                };
            };
            /** @description Bad Request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    confirm_receipt: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["OrderId"];
                return_id: components["schemas"]["ReturnId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Return"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    refuse_return: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["OrderId"];
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
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Return"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_saga: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["OrderId"];
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
                    "application/json": components["schemas"]["OrderSagas"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ship_order: {
        parameters: {
            query?: never;
            header?: never;
            path: {
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
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
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
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PaymentMethods"];
                };
            };
        };
    };
    list_payments: {
        parameters: {
            query?: {
                /** @description Only of this order. */
                order_id?: components["schemas"]["OrderId"];
                /** @description Items a page, 1 to 100. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
            };
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
                    "application/json": components["schemas"]["Page_Payment"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_payment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["PaymentId"];
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
                    "application/json": components["schemas"]["Payment"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such payment, or someone else's */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    create_refund: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path: {
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
            /** @description Promised */
            202: {
                headers: {
                    /** @description The payment */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Refund"];
                };
            };
            /** @description No Idempotency-Key, or no JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not an operator */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description No such payment */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More than is left, nothing captured, or a request in flight */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_products: {
        parameters: {
            query?: {
                /** @description Words; each begins a word of the product, in any of its languages. */
                q?: string;
                /** @description Slug of a category. */
                category?: string;
                /** @description Least price in minor units. */
                min_price?: number;
                /** @description Highest price in minor units. */
                max_price?: number;
                /** @description Only what can be bought now (true) or cannot (false). */
                in_stock?: boolean;
                /** @description Only these, separated by commas, at most 100; all on one page unless `limit` says otherwise. */
                skus?: string;
                /** @description The order; `relevance` without `q` is `name`. */
                sort?: "relevance" | "price" | "-price" | "newest" | "name";
                /** @description Items a page, 1 to 100. */
                limit?: number;
                /** @description `next_cursor` of the page before, with the same query. */
                cursor?: string;
            };
            header?: {
                "accept-language"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "content-language"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductPage"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
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
            /** @description Created */
            201: {
                headers: {
                    etag?: string;
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_product: {
        parameters: {
            query?: never;
            header?: {
                /** @description An ETag that the client has */
                "if-none-match"?: string | null;
                "accept-language"?: string | null;
            };
            path: {
                /** @description The product */
                sku: components["schemas"]["Sku"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "cache-control"?: string;
                    "content-language"?: string;
                    etag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
            /** @description Not Modified */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Service Unavailable */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_product: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that was seen */
                "if-match": string;
            };
            path: {
                /** @description The product */
                sku: components["schemas"]["Sku"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Conflict */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Precondition Failed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Precondition Required */
            428: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    update_product: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag of the version that was seen */
                "if-match": string;
            };
            path: {
                /** @description The product */
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
            /** @description OK */
            200: {
                headers: {
                    etag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Precondition Failed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Precondition Required */
            428: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
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
            /** @description An error (RFC 9457) */
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
            header?: never;
            path: {
                /** @description The product */
                sku: components["schemas"]["Sku"];
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
                    "image/svg+xml": string;
                };
            };
            /** @description Not Modified */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_stock: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The product */
                sku: components["schemas"]["Sku"];
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
                    "application/json": components["schemas"]["StockLevels"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    adjust_stock: {
        parameters: {
            query?: never;
            header: {
                /** @description The same at every repetition */
                "Idempotency-Key": string;
            };
            path: {
                /** @description The product */
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
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StockLevels"];
                };
            };
            /** @description No Idempotency-Key, or no JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description More than is available, or a request with the same key in flight */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A wrong field, or the key came with another body before */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_users: {
        parameters: {
            query?: {
                /** @description Part of the address or the name, at most 200 characters. */
                q?: string;
                /** @description Items a page, 1 to 100. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
            };
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
                    "application/json": components["schemas"]["Page_UserDetails"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
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
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Profile"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
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
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Profile"];
                };
            };
            /** @description With an API key */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_addresses: {
        parameters: {
            query?: {
                /** @description Items a page, 1 to 100. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
            };
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
                    "application/json": components["schemas"]["Page_SavedAddress"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
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
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedAddress"];
                };
            };
            /** @description There are 50 */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_address: {
        parameters: {
            query?: never;
            header?: never;
            path: {
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
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedAddress"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_address: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_api_keys: {
        parameters: {
            query?: {
                /** @description Items a page, 1 to 100. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
            };
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
                    "application/json": components["schemas"]["Page_ApiKey"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
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
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewApiKey"];
                };
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description With an API key, or the scope `admin` for an account that is no operator's */
            403: {
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
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_api_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description With an API key */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
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
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description With an API key */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong passwords; see `Retry-After` */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many passwords are checked at the moment; see `Retry-After` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_sessions: {
        parameters: {
            query?: {
                /** @description Items a page, 1 to 100. */
                limit?: number;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
            };
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
                    "application/json": components["schemas"]["Page_Session"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
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
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unauthorized */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description With an API key */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patch_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
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
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserDetails"];
                };
            };
            /** @description Forbidden */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Not Found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description One's own account */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    receive_webhook: {
        parameters: {
            query?: never;
            header: {
                /** @description `t=…,v1=…` */
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
            /** @description Taken in */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description No event */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The signature is missing, wrong or old */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Payload Too Large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
