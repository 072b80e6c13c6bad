/** Properties that `public/boot.js` defines. */
interface Window {
  /** The refresh request that it has sent, if a session may exist. */
  soukRefresh?: Promise<Response> | undefined;
  /** Loads the code of the page at a path. */
  soukPreload?: (path: string) => void;
}
