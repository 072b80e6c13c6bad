import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useSyncExternalStore } from "react";

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
  useEffect(() => {
    if (last.current === user) return;
    last.current = user;
    // Catalog pages are everybody's.
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "catalog" });
  }, [user, queries]);
}
