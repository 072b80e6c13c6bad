import { shortId } from "@/orders/status";

import { TextLink } from "./textLink";

/** An id as people say it; the whole of it on a closer look. */
export function Id({ id, to }: { id: string; to?: string }) {
  const text = (
    <code className="text-xs whitespace-nowrap" title={id}>
      {shortId(id)}
    </code>
  );
  return to ? <TextLink to={to}>{text}</TextLink> : text;
}
