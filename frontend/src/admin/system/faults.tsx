import { Page } from "@/ui/page";

export function Component() {
  return <Page title="faults">{null}</Page>;
}
