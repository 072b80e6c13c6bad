import { countryName } from "@/address/countries";
import { useLocale } from "@/i18n";

import type { Address } from "./draft";

/** An address in two short lines: the name, and everything else. */
export function AddressText({ address }: { address: Address }) {
  const { locale } = useLocale();
  const place = `${address.postal_code} ${address.city}`;
  const lines = [address.line1, address.line2, place, address.region, countryName(address.country, locale)];
  return (
    <>
      <span className="font-semibold">{address.name}</span>
      <span className="text-muted">{lines.filter(Boolean).join(", ")}</span>
    </>
  );
}
