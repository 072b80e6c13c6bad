import "./styles.css";

import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router/dom";

import { queries } from "@/api/queries";
import { I18nProvider } from "@/i18n";
import { router } from "@/routes";
import { session } from "@/session/session";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

// Pages render while the session is being resumed; see `useIsResuming`.
void session.resume();
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <I18nProvider>
        <RouterProvider router={router} />
      </I18nProvider>
    </QueryClientProvider>
  </StrictMode>,
);
