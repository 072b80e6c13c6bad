import { type Query, useQueryClient } from "@tanstack/react-query";
import { useEffect, useLayoutEffect, useRef, useSyncExternalStore } from "react";

import { session, type SignedIn } from "./session";

/** Stands for the user while the session is being resumed; not a valid user id. */
const RESUMING = "?";

/** Returns the signed-in user, or `undefined` for a guest. */
export function useSession(): SignedIn | undefined {
  return useSyncExternalStore(session.subscribe, session.current);
}

/** Whether the session of an earlier visit is being resumed. Requests wait for that. */
export function useIsResuming(): boolean {
  return useSyncExternalStore(session.subscribe, session.isResuming);
}

/** Whether the user may use the back office. */
export function useIsAdmin(): boolean {
  return useSyncExternalStore(session.subscribe, session.roles).includes("admin");
}

/** Resets all personal data when another user signs in or the user signs out. The shell calls it exactly once. */
export function useResetOnUserChange(): void {
  const current = useSession()?.userId;
  // Requests that wait for the session to be resumed belong to the user who is signed in then.
  const user = useIsResuming() ? RESUMING : current;
  const queries = useQueryClient();
  const resetFor = useRef(user);
  const refetchedFor = useRef(user);
  // Before the browser paints, so that one user's data is never shown to another. Removed queries would stay visible, so
  // they are reset instead.
  useLayoutEffect(() => {
    const before = resetFor.current;
    resetFor.current = user;
    if (before === user || before === RESUMING) return;
    for (const query of queries.getQueryCache().findAll({ predicate: isPersonal })) query.reset();
  }, [user, queries]);
  // After the previous user's pages have been unmounted.
  useEffect(() => {
    const before = refetchedFor.current;
    refetchedFor.current = user;
    if (before === user || before === RESUMING) return;
    void queries.refetchQueries({ predicate: isPersonal, type: "active" }, { cancelRefetch: false });
  }, [user, queries]);
}

/** Whether a query belongs to the user. Catalog data is the same for every user. */
function isPersonal({ queryKey }: Query): boolean {
  return queryKey[0] !== "catalog";
}
