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

/** A promise that is settled by hand. */
function held<T>(): { promise: Promise<T>; arrive: (value: T) => void } {
  let arrive: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => (arrive = resolve));
  return { promise, arrive };
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

  it.each(["failed", "cancelled", "original", "skipped"] as const)(
    "goes back to the original of a %s page",
    (status) => {
      feed.say("upscale-ready", done(1));
      expect(pool.shown.size).toBe(1);
      feed.say("upscale-ready", state(1, { status: "processing" }));
      expect(pool.shown.size).toBe(1); // it stays until there is another
      feed.say("upscale-ready", state(1, { status }));
      expect(pool.shown.size).toBe(0);
    },
  );

  it("believes the socket though another answer was asked for and came meanwhile", async () => {
    const slow = held<{ pages: PageState[] }>();
    http.post.mockImplementationOnce(() => slow.promise as never);
    feed.resync();
    await settled();
    store.turn(2);
    await settled();
    feed.say("upscale-ready", done(1));
    slow.arrive({ pages: [state(1, { status: "processing" })] });
    await settled();
    expect(store.stateOf(1)?.status).toBe("completed");
  });

  it("believes the answer to the later of two questions, whichever comes first", async () => {
    const slow = held<{ pages: PageState[] }>();
    http.post.mockImplementationOnce(() => slow.promise as never);
    feed.resync();
    await settled();
    http.answers = [done(1)];
    store.turn(1);
    await settled();
    slow.arrive({ pages: [state(1), done(2)] });
    await settled();
    expect([store.stateOf(1)?.status, store.stateOf(2)?.status]).toEqual(["completed", "completed"]);
  });

  it("takes no answer that is of other options", async () => {
    let arrive: () => void = () => undefined;
    http.hold = new Promise<void>((resolve) => (arrive = resolve));
    http.answers = [done(1)];
    store.turn(1);
    await settled();
    const off = store.setEnabled(false);
    arrive();
    await off;
    await settled();
    expect([store.stateOf(1), pool.shown.size]).toEqual([undefined, 0]);
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
    http.answers = [done(1)];
    store.turn(1);
    await settled();
    http.patch.mockRejectedValueOnce(new Error("no"));
    await expect(store.setEnabled(false)).rejects.toThrow("no");
    await settled();
    expect(pool.shown.size).toBe(1); // and asks anew for what the switch let go
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
    expect(http.delete).toHaveBeenCalledExactlyOnceWith(
      "/v1/reader/books/b",
      expect.objectContaining({ keepalive: true }),
    );
    expect([feed.listening, pool.shown.size]).toEqual([0, 0]);
  });

  it("says once more that it left when a question was answered after that", async () => {
    const slow = held<undefined>();
    http.hold = slow.promise;
    store.turn(3);
    await settled();
    store.leave();
    expect(http.delete).toHaveBeenCalledTimes(1);
    slow.arrive(undefined);
    await settled();
    expect(http.calls.slice(-2)).toEqual(["DELETE /v1/reader/books/b", "DELETE /v1/reader/books/b"]);
  });

  it("says it once more, too, when the answer to that question was lost", async () => {
    const slow = held<undefined>();
    http.put.mockImplementationOnce(() => slow.promise.then(() => Promise.reject(new Error("offline"))));
    store.turn(3);
    await settled();
    store.leave();
    slow.arrive(undefined);
    await settled();
    expect(http.calls.slice(-2)).toEqual(["DELETE /v1/reader/books/b", "DELETE /v1/reader/books/b"]);
    expect(store.error).toBeNull();
  });

  it("does not leave a book that is being read again", async () => {
    const slow = held<undefined>();
    http.hold = slow.promise;
    store.turn(3);
    await settled();
    store.leave();
    const next = new UpscaleStore("b", pool, http as never, new Feed(), 0);
    await next.open();
    slow.arrive(undefined);
    await settled();
    expect(http.delete).toHaveBeenCalledTimes(1);
    next.leave();
  });

  it("is open again where the reader was when the window comes back, and can be left again", async () => {
    store.turn(3);
    await settled();
    store.leave();
    await store.open();
    await settled();
    expect(http.calls.slice(-3)).toEqual([
      "DELETE /v1/reader/books/b",
      "POST /v1/reader/books/b/open",
      "PUT /v1/reader/books/b/position 3",
    ]);
    feed.say("upscale-ready", done(1));
    expect(pool.shown.size).toBe(1);
    store.leave();
    expect([http.delete.mock.calls.length, feed.listening]).toEqual([2, 0]);
  });

  it("does not open a book that was left before the server answered", async () => {
    const late = new UpscaleStore("late", pool, http as never, feed, 0);
    const opening = late.open();
    late.leave();
    await opening;
    expect(http.calls.at(-1)).toBe("DELETE /v1/reader/books/late");
  });

  it("says at every call who reads, so that no other window is stopped", async () => {
    await store.open();
    store.turn(2);
    await settled();
    store.leave();
    const whoReads = { seat: expect.stringMatching(/^[0-9a-f]{24}$/) as string };
    expect(http.post).toHaveBeenCalledWith(expect.anything(), undefined, { query: whoReads });
    expect(http.put).toHaveBeenCalledWith(expect.anything(), expect.anything(), { query: whoReads });
    expect(http.delete).toHaveBeenCalledWith(expect.anything(), { keepalive: true, query: whoReads });
  });
});
