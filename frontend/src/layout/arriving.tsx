/** Nothing yet: the first page is on its way. */
export function Arriving() {
  return null;
}
