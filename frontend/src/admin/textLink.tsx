import { Link, type LinkProps } from "react-router";

/** A link among text, and in tables. */
export function TextLink(props: LinkProps) {
  return <Link {...props} className="text-accent underline underline-offset-4" />;
}
