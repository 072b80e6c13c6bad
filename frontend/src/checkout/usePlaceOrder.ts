import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { type Cart, type CartItem } from "@/cart/useCart";
import { useMessages } from "@/i18n";
import { Problem } from "@/problem";
import { announce } from "@/ui/live";

import type { Address } from "./draft";
import { messages } from "./messages";
import { changesOf, type LineChange, placeOrder } from "./placeOrder";

interface Order {
  address: Address;
  payment: string;
  /** The lines that the shopper has reviewed. */
  items: readonly CartItem[];
}

/** Places the order and opens its page after the server has confirmed it. Never optimistic. */
export function usePlaceOrder(user: string) {
  const t = useMessages(messages);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [changes, setChanges] = useState<readonly LineChange[]>([]);
  const mutation = useMutation({
    mutationFn: ({ address, payment }: Order) => placeOrder(user, address, payment),
    // The server is still processing the first attempt; repeat the request until it has the response.
    retry: (failures, error) => failures < 5 && error instanceof Problem && error.kind === "request-in-flight",
    retryDelay: 1000,
    onSuccess: async ({ id }) => {
      announce(t.placed);
      await navigate(`/orders/${id}`);
      void queries.invalidateQueries({ queryKey: ["cart"] });
      void queries.invalidateQueries({ queryKey: ["orders"] });
      void queries.invalidateQueries({ queryKey: ["account"] });
    },
    onError: async (error, { items }) => {
      if (!(error instanceof Problem) || (error.status !== 409 && error.status !== 422)) return;
      await queries.invalidateQueries({ queryKey: ["cart"] });
      const now = queries.getQueryData<Cart>(["cart", user]);
      if (now) setChanges(changesOf(items, now.items));
    },
  });
  return { ...mutation, changes };
}
