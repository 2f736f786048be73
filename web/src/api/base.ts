/** Where the application and the server's API are, whatever the server is mounted below. */

/** The application's own base, "/ui/" or "/prefix/ui/": the server writes it into index.html's <base>. */
export function uiBase(): string {
  return new URL(".", document.baseURI).pathname;
}

/** What the API's paths are below, with a slash at its end. */
export function apiBase(): string {
  return new URL("..", new URL(uiBase(), location.origin)).pathname;
}

/** The address of a path as the API writes it ("/v1/…"), below the server's prefix. */
export function href(path: string): string {
  const base = apiBase();
  return path.startsWith(base) && base !== "/" ? path : base + path.replace(/^\//, "");
}

/** The WebSocket address of a path of the API. */
export function socketHref(path: string): string {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}${href(path)}`;
}
