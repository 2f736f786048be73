import { beforeEach, describe, expect, it, vi } from "vitest";

import type { LiveOf, LiveType, PageState, ReaderView } from "../api/types";
import { UpscaleStore } from "./upscaleStore.svelte";

const OPTIONS: ReaderView = {
  enabled: true,
  model: "waifu2x-cunet",
  scale: 2,
  noise: null,
  tileSize: 0,
  quality: 90,
  lossless: false,
  lookAhead: { forward: 3, backward: 3 },
  openBooks: [],
  hint: null,
};

function state(page: number, changes: Partial<PageState> = {}): PageState {
  return {
    bookId: "b",
    page,
    status: "pending",
    share: 0,
    url: null,
    width: null,
    height: null,
    originalWidth: 350,
    originalHeight: 500,
    model: null,
    scale: null,
    noise: null,
    seconds: null,
    rule: null,
    reason: null,
    error: null,
    isPreload: false,
    ...changes,
  };
}
const done = (page: number) => state(page, { status: "completed", url: `/v1/renders/${page}`, share: 1 });

class Feed {
  #handlers = new Map<string, (message: never) => void>();
  resync: () => void = () => undefined;
  on = <T extends LiveType>(type: T, handler: (message: LiveOf<T>) => void) => {
    this.#handlers.set(type, handler as (message: never) => void);
    return () => void this.#handlers.delete(type);
  };
  onResync = (again: () => void) => {
    this.resync = again;
    return () => undefined;
  };
  say(type: "upscale-ready" | "reader", message: object): void {
    this.#handlers.get(type)?.({ type, ...message } as never);
  }
  get listening(): number {
    return this.#handlers.size;
  }
}

class Pool {
  shown = new Map<number, string>();
  setUpscaled = async (page: number, url: string) => {
    this.shown.set(page, url);
    return true;
  };
  clearUpscaled = (page: number) => void this.shown.delete(page);
  clearAllUpscaled = () => this.shown.clear();
}

/** A server that keeps options and answers positions as it is told. */
function server() {
  let options = OPTIONS;
  const calls: string[] = [];
  const http = {
    answers: [] as PageState[],
    hold: Promise.resolve() as Promise<unknown>,
    calls,
    get: vi.fn(async () => options),
    post: vi.fn(async (path: string) => {
      calls.push(`POST ${path}`);
      return { pages: [] };
    }),
    put: vi.fn(async (path: string, body: { page: number }) => {
      calls.push(`PUT ${path} ${body.page}`);
      await http.hold;
      return { pages: http.answers };
    }),
    patch: vi.fn(async (_path: string, changes: object) => (options = { ...options, ...changes })),
    delete: vi.fn(async (path: string) => void calls.push(`DELETE ${path}`)),
  };
  return http;
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe("the upscale store", () => {
  let http: ReturnType<typeof server>;
  let feed: Feed;
  let pool: Pool;
  let store: UpscaleStore;

  beforeEach(async () => {
    [http, feed, pool] = [server(), new Feed(), new Pool()];
    store = new UpscaleStore("b", pool, http as never, feed, 0);
    await store.open();
  });

  it("tells the server where the reader is and shows what is sharp already", async () => {
    http.answers = [done(4), state(5)];
    store.turn(4, [5]);
    await settled();
    expect(http.calls).toEqual(["POST /v1/reader/books/b/open", "PUT /v1/reader/books/b/position 4"]);
    expect(pool.shown.get(4)).toBe("/v1/renders/4");
    expect(store.stateOf(5)?.status).toBe("pending");
  });

  it("follows the pages as they are made, of its own book", async () => {
    feed.say("upscale-ready", state(1, { status: "processing", share: 0.5 }));
    expect(store.stateOf(1)?.share).toBe(0.5);
    feed.say("upscale-ready", done(1));
    feed.say("upscale-ready", { ...done(2), bookId: "another" });
    await settled();
    expect([...pool.shown.keys()]).toEqual([1]);
  });

  it("believes the socket rather than an answer that was on its way", async () => {
    let arrive: () => void = () => undefined;
    http.hold = new Promise<void>((resolve) => (arrive = resolve));
    http.answers = [state(1, { status: "processing", share: 0.9 })];
    store.turn(1);
    await settled();
    feed.say("upscale-ready", done(1));
    arrive();
    await settled();
    expect(store.stateOf(1)?.status).toBe("completed");
  });

  it("shows originals at once when it is switched off, and asks anew when it is switched on", async () => {
    http.answers = [done(1)];
    store.turn(1);
    await settled();
    expect(pool.shown.size).toBe(1);
    const off = store.setEnabled(false);
    expect([store.enabled, pool.shown.size]).toEqual([false, 0]);
    await off;
    feed.say("upscale-ready", done(1)); // was under way
    await settled();
    expect(pool.shown.size).toBe(0);
    await store.setEnabled(true);
    await settled();
    expect(http.calls.filter((call) => call.startsWith("PUT"))).toHaveLength(2);
    expect(pool.shown.size).toBe(1);
  });

  it("takes the switch back when the server refuses", async () => {
    http.patch.mockRejectedValueOnce(new Error("no"));
    await expect(store.setEnabled(false)).rejects.toThrow("no");
    expect(store.enabled).toBe(true);
  });

  it("forgets what is sharp when another model is set elsewhere, and asks anew", async () => {
    http.answers = [done(1)];
    store.turn(1);
    await settled();
    http.answers = [state(1)];
    feed.say("reader", { ...OPTIONS, model: "realcugan-se" });
    expect(pool.shown.size).toBe(0);
    await settled();
    expect(store.stateOf(1)?.status).toBe("pending");
    feed.say("reader", { ...OPTIONS, model: "realcugan-se", hint: { message: "slow", model: "x" } });
    await settled();
    expect(http.calls.filter((call) => call.startsWith("PUT"))).toHaveLength(2);
  });

  it("keeps the original of a failed page, and tries again when asked", async () => {
    const error = { code: "bad_picture", message: "broken", remedy: "…" };
    feed.say("upscale-ready", state(1, { status: "failed", error }));
    expect([store.stateOf(1)?.error, pool.shown.size]).toEqual([error, 0]);
    store.turn(1);
    await settled();
    await store.retry(1);
    await settled();
    expect(http.calls.slice(-2)).toEqual(["DELETE /v1/reader/books/b/pages/1", "PUT /v1/reader/books/b/position 1"]);
  });

  it("asks again for everything after the connection was lost", async () => {
    store.turn(7);
    await settled();
    feed.resync();
    await settled();
    expect(http.calls.slice(-2)).toEqual(["POST /v1/reader/books/b/open", "PUT /v1/reader/books/b/position 7"]);
  });

  it("says that it cannot reach the server, and that it can again", async () => {
    http.put.mockRejectedValueOnce(new Error("offline"));
    store.turn(1);
    await settled();
    expect(String(store.error)).toContain("offline");
    store.turn(2);
    await settled();
    expect(store.error).toBeNull();
  });

  it("leaves once, even when the window closes, and hears nothing more", async () => {
    store.leave();
    store.leave();
    store.turn(9);
    feed.say("upscale-ready", done(1));
    await settled();
    expect(http.delete).toHaveBeenCalledExactlyOnceWith("/v1/reader/books/b", { keepalive: true });
    expect([feed.listening, pool.shown.size]).toEqual([0, 0]);
  });
});
