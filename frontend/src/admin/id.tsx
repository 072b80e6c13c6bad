import { shortId } from "@/orders/status";

import { TextLink } from "./textLink";

/** A shortened id, optionally as a link. The tooltip shows the whole id. */
export function Id({ id, to }: { id: string; to?: string }) {
  const text = (
    <code className="text-xs whitespace-nowrap" title={id}>
      {shortId(id)}
    </code>
  );
  return to ? <TextLink to={to}>{text}</TextLink> : text;
}
