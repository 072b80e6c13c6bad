import type { Address } from "./draft";

/** Properties that the address step passes on to the form for a new address. */
export interface AddressStepProps {
  /** The address chosen so far. */
  address: Address | undefined;
  /** The values entered into the form so far. */
  typed: Partial<Address> | undefined;
  /** Called with the values of the form on every change. */
  onType: (fields: Partial<Address>) => void;
  /** Called with the address when the shopper continues. */
  onDone: (address: Address) => void;
}
