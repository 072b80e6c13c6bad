import { createBrowserRouter } from "react-router";

import { Arriving } from "@/layout/arriving";
import { Broken, NotFound } from "@/layout/errors";
import { Shell } from "@/layout/shell";
import { Component as Home } from "@/shop/home";

/** Every page of the application. The home page comes with the shell; the others when they are asked for. */
export const router = createBrowserRouter([
  {
    Component: Shell,
    children: [
      {
        ErrorBoundary: Broken,
        HydrateFallback: Arriving,
        children: [
          { index: true, Component: Home },
          { path: "products", lazy: () => import("@/shop/productList") },
          { path: "products/:sku", lazy: () => import("@/shop/product") },
          { path: "cart", lazy: () => import("@/cart/cartPage") },
          { path: "checkout", lazy: () => import("@/checkout/checkout") },
          { path: "orders", lazy: () => import("@/orders/orderList") },
          { path: "orders/:id", lazy: () => import("@/orders/order") },
          { path: "orders/:id/saga", lazy: () => import("@/orders/sagaPage") },
          { path: "notifications", lazy: () => import("@/notifications/notificationsPage") },
          { path: "sign-in", lazy: () => import("@/account/signIn") },
          { path: "register", lazy: () => import("@/account/register") },
          { path: "verify", lazy: () => import("@/account/verify") },
          { path: "resend-verification", lazy: () => import("@/account/resendVerification") },
          { path: "forgot-password", lazy: () => import("@/account/forgotPassword") },
          { path: "reset-password", lazy: () => import("@/account/resetPassword") },
          { path: "account", lazy: () => import("@/account/account") },
          {
            path: "admin",
            lazy: () => import("@/admin/adminLayout"),
            children: [
              { index: true, lazy: () => import("@/admin/dashboard/dashboard") },
              { path: "orders", lazy: () => import("@/admin/sales/orders") },
              { path: "stock", lazy: () => import("@/admin/stock/stock") },
              { path: "users", lazy: () => import("@/admin/users/users") },
              { path: "payments", lazy: () => import("@/admin/sales/payments") },
              { path: "sagas", lazy: () => import("@/admin/sagas/sagas") },
              { path: "sagas/:id", lazy: () => import("@/admin/sagas/saga") },
              { path: "dead-letters", lazy: () => import("@/admin/sagas/deadLetters") },
              { path: "upstreams", lazy: () => import("@/admin/system/upstreams") },
              { path: "audit", lazy: () => import("@/admin/system/audit") },
              { path: "faults", lazy: () => import("@/admin/system/faults") },
            ],
          },
          { path: "*", Component: NotFound },
        ],
      },
    ],
  },
]);
