import { beforeEach, describe, expect, it } from "vitest";

import { fit, Router, type Route } from "./router.svelte";

const page = () => Promise.reject(new Error("not loaded here"));
const routes: Route[] = [
  { path: "/", load: page },
  { path: "/read/:book/:page?", load: page, bare: true },
];

beforeEach(() => {
  document.head.innerHTML = '<base href="/below/ui/">';
  history.replaceState(null, "", "/below/ui/");
});

describe("a path", () => {
  it("fits its pattern, piece by piece", () => {
    expect(fit("/read/:book/:page?", "/read/abc")).toEqual({ book: "abc" });
    expect(fit("/read/:book/:page?", "/read/a%20b/12/")).toEqual({ book: "a b", page: "12" });
    expect(fit("/read/:book/:page?", "/read")).toBeNull();
    expect(fit("/read/:book/:page?", "/read/a/1/2")).toBeNull();
    expect(fit("/", "/")).toEqual({});
  });

  it("that was typed wrongly is no error", () => {
    expect(fit("/read/:book", "/read/100%")).toEqual({ book: "100%" });
  });
});

describe("the router", () => {
  it("works below any root path", () => {
    const router = new Router(routes);
    expect(router.match?.route).toBe(routes[0]);
    router.go("/read/abc/3");
    expect(location.pathname).toBe("/below/ui/read/abc/3");
    expect(router.match).toEqual({ route: routes[1], params: { book: "abc", page: "3" } });
    expect(router.href("/jobs")).toBe("/below/ui/jobs");
  });

  it("knows when there is no such page", () => {
    const router = new Router(routes);
    router.go("/nowhere");
    expect(router.match).toBeNull();
  });

  it("follows its own links and leaves the others to the browser", () => {
    const router = new Router(routes);
    router.start();
    document.body.innerHTML =
      '<a id="own" href="/below/ui/read/x"><b>x</b></a><a id="other" href="/docs">y</a><a id="file" href="/below/ui/a" download>z</a>';
    const press = (selector: string, options: MouseEventInit = {}) => {
      const event = new MouseEvent("click", { bubbles: true, cancelable: true, button: 0, ...options });
      const kept = !document.querySelector(selector)?.dispatchEvent(event);
      return kept;
    };
    expect(press("#own b")).toBe(true);
    expect(router.path).toBe("/read/x");
    expect([press("#own b", { ctrlKey: true }), press("#file")]).toEqual([false, false]);
  });
});
