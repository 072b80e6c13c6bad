import { type Query, useQueryClient } from "@tanstack/react-query";
import { useEffect, useLayoutEffect, useRef, useSyncExternalStore } from "react";

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
  const dropped = useRef(user);
  const asked = useRef(user);
  // Before the browser paints: nobody sees the other's data, not even for a moment. What is removed would stay in view.
  useLayoutEffect(() => {
    if (dropped.current === user) return;
    dropped.current = user;
    for (const query of queries.getQueryCache().findAll({ predicate: isPersonal })) query.reset();
  }, [user, queries]);
  // After the pages that are gone with the other have let go of theirs.
  useEffect(() => {
    if (asked.current === user) return;
    asked.current = user;
    void queries.refetchQueries({ predicate: isPersonal, type: "active" }, { cancelRefetch: false });
  }, [user, queries]);
}

/** Catalog pages are everybody's. */
function isPersonal({ queryKey }: Query): boolean {
  return queryKey[0] !== "catalog";
}
