import { type Query, useQueryClient } from "@tanstack/react-query";
import { useEffect, useLayoutEffect, useRef, useSyncExternalStore } from "react";

import { session, type SignedIn } from "./session";

/** No user's id. */
const ARRIVING = "?";

/** Who is signed in, if anybody is. */
export function useSession(): SignedIn | undefined {
  return useSyncExternalStore(session.subscribe, session.current);
}

/** Whether somebody was signed in here, and the server is being asked whether they still are. Requests wait for that. */
export function useIsArriving(): boolean {
  return useSyncExternalStore(session.subscribe, session.isArriving);
}

/** Whether the one who is signed in may see the back office. */
export function useIsAdmin(): boolean {
  return useSyncExternalStore(session.subscribe, session.roles).includes("admin");
}

/** Drops what was asked for somebody else, whenever who is signed in changes. Used once, by the shell. */
export function useForgetOthers(): void {
  const current = useSession()?.userId;
  // What is asked for before it is known who is here is asked for them.
  const user = useIsArriving() ? ARRIVING : current;
  const queries = useQueryClient();
  const dropped = useRef(user);
  const asked = useRef(user);
  // Before the browser paints: nobody sees the other's data, not even for a moment. What is removed would stay in view.
  useLayoutEffect(() => {
    const before = dropped.current;
    dropped.current = user;
    if (before === user || before === ARRIVING) return;
    for (const query of queries.getQueryCache().findAll({ predicate: isPersonal })) query.reset();
  }, [user, queries]);
  // After the pages that are gone with the other have let go of theirs.
  useEffect(() => {
    const before = asked.current;
    asked.current = user;
    if (before === user || before === ARRIVING) return;
    void queries.refetchQueries({ predicate: isPersonal, type: "active" }, { cancelRefetch: false });
  }, [user, queries]);
}

/** Catalog pages are everybody's. */
function isPersonal({ queryKey }: Query): boolean {
  return queryKey[0] !== "catalog";
}
