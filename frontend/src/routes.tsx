import { createBrowserRouter, redirect } from "react-router";

import { ErrorPage } from "@/layout/errorPage";
import { Shell } from "@/layout/shell";
import { Component as Home } from "@/shop/home";
import { NotFound } from "@/ui/notFound";

/** The first page renders nothing while its code loads. */
function NoFallback() {
  return null;
}

/** Every page of the application. The home page is part of the shell; the others are loaded when they are opened. */
export const router = createBrowserRouter([
  {
    Component: Shell,
    children: [
      {
        ErrorBoundary: ErrorPage,
        HydrateFallback: NoFallback,
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
              {
                path: "gateway",
                lazy: () => import("@/admin/gateway/gatewayLayout"),
                children: [
                  { index: true, lazy: () => import("@/admin/gateway/overview") },
                  { path: "routes", lazy: () => import("@/admin/gateway/routes") },
                  { path: "upstreams", lazy: () => import("@/admin/gateway/upstreams") },
                  { path: "limits", lazy: () => import("@/admin/gateway/limits") },
                  { path: "configuration", lazy: () => import("@/admin/gateway/configuration") },
                ],
              },
              // The former address of the upstreams, which runbooks and bookmarks may use.
              { path: "upstreams", loader: () => redirect("/admin/gateway/upstreams") },
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
