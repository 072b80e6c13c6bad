import { Page } from "@/ui/page";

export function Component() {
  return <Page title="register">{null}</Page>;
}
