/** Nothing yet: the first page is on its way. The footer waits with it, since the page will push it down. */
export function Arriving() {
  return <div data-arriving />;
}
