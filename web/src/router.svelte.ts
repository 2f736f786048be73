/** Which page an address below the application's base means, and going to another one without a reload. */
import type { Component } from "svelte";

import { uiBase } from "./api/base";
import type { IconName } from "./components/icons";
import type { MessageKey } from "./i18n/index.svelte";

export type Params = Readonly<Record<string, string>>;
/** A page that reads its path's parameters, or has none. */
export type Page = Component<{ params: Params }> | Component<Record<string, never>>;
export interface Route {
  /** "/read/:book/:page?" below the base */
  path: string;
  load: () => Promise<{ default: Page }>;
  /** a place in the navigation */
  nav?: { label: MessageKey; icon: IconName };
  /** other paths that belong to the same place in the navigation */
  under?: string;
  /** without navigation around it */
  bare?: boolean;
}
export interface Match {
  route: Route;
  params: Params;
}

function decoded(piece: string): string {
  try {
    return decodeURIComponent(piece);
  } catch {
    return piece; // a lone "%": somebody typed it
  }
}

/** The parameters of a path that a pattern fits, or null. */
export function fit(pattern: string, path: string): Params | null {
  const wanted = pattern.split("/").filter(Boolean);
  const found = path.split("/").filter(Boolean);
  if (found.length > wanted.length) return null;
  const params: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const piece = found[i];
    if (piece === undefined) {
      if (part.endsWith("?")) continue;
      return null;
    }
    if (part.startsWith(":")) params[part.slice(1).replace(/\?$/, "")] = decoded(piece);
    else if (part !== piece) return null;
  }
  return params;
}

export class Router {
  /** below the base, "/" at its start */
  path = $state("/");
  search = $state.raw(new URLSearchParams());
  #base = uiBase();
  #routes: readonly Route[];
  match = $derived.by<Match | null>(() => this.#find(this.path));

  constructor(routes: readonly Route[]) {
    this.#routes = routes;
    this.#read();
  }

  start(): void {
    addEventListener("popstate", () => this.#read());
    document.addEventListener("click", (event) => this.#follow(event));
  }

  /** The address of a path, for links. */
  href(path: string): string {
    return this.#base + path.replace(/^\//, "");
  }

  go(path: string, { replace = false } = {}): void {
    if (replace) history.replaceState(history.state, "", this.href(path));
    else history.pushState(null, "", this.href(path));
    this.#read();
    if (!replace) scrollTo(0, 0);
  }

  #find(path: string): Match | null {
    for (const route of this.#routes) {
      const params = fit(route.path, path);
      if (params) return { route, params };
    }
    return null;
  }

  #read(): void {
    const path = location.pathname;
    this.path = path.startsWith(this.#base) ? `/${path.slice(this.#base.length)}` : "/";
    this.search = new URLSearchParams(location.search);
  }

  /** Links inside the application change the page; everything else is left to the browser. */
  #follow(event: MouseEvent): void {
    const link = plainlyClicked(event);
    if (!link || link.origin !== location.origin || !link.pathname.startsWith(this.#base) || link.hash) return;
    event.preventDefault();
    this.go(`/${link.pathname.slice(this.#base.length)}${link.search}`);
  }
}

/** The link that was clicked to be followed here: not into a new window, not to be saved. */
function plainlyClicked(event: MouseEvent): HTMLAnchorElement | null {
  const modified = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  if (event.defaultPrevented || event.button !== 0 || modified) return null;
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return null;
  return link;
}
