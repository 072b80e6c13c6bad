import { Link, type LinkProps } from "react-router";

/** A link within text or a table. */
export function TextLink(props: LinkProps) {
  return <Link {...props} className="text-accent underline underline-offset-4" />;
}
