import { TextLink } from "./textLink";

/** An id by its end, which is what differs; the whole of it on a closer look. */
export function Id({ id, to }: { id: string; to?: string }) {
  const text = (
    <code className="text-xs whitespace-nowrap" title={id}>
      …{id.slice(-8)}
    </code>
  );
  return to ? <TextLink to={to}>{text}</TextLink> : text;
}
