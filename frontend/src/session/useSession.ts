import { useQueryClient } from "@tanstack/react-query";
import { useLayoutEffect, useRef, useSyncExternalStore } from "react";

import { session, type SignedIn } from "./session";

/** Who is signed in, if anybody is. */
export function useSession(): SignedIn | undefined {
  return useSyncExternalStore(session.subscribe, session.current);
}

/** Whether the one who is signed in may see the back office. */
export function useIsAdmin(): boolean {
  return useSession()?.roles.includes("admin") ?? false;
}

/** Drops what was asked for somebody else, whenever who is signed in changes. Used once, by the shell. */
export function useForgetOthers(): void {
  const user = useSession()?.userId;
  const queries = useQueryClient();
  const last = useRef(user);
  // Before the browser paints: nobody sees the other's data, not even for a moment.
  useLayoutEffect(() => {
    if (last.current === user) return;
    last.current = user;
    // Catalog pages are everybody's. A reset shows what is in view as loading; removed queries would stay in view.
    void queries.resetQueries({ predicate: ({ queryKey }) => queryKey[0] !== "catalog" });
  }, [user, queries]);
}
