import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { LiveOf, PageState, UpscaleReady } from "../api/types";
import { i18n } from "../i18n/index.svelte";
import { UpscaleClient, UpscaleTimeoutError } from "./upscaleClient";

const MODELS = [
  { name: "waifu2x-cunet", networksHere: 8 },
  { name: "realcugan-se", networksHere: 0 },
];
const PATH = "/manga/a.zip inner=001.jpg";
type Hear = (message: LiveOf<"upscale-ready">) => void;

function page(changes: Partial<PageState> = {}): PageState {
  return { bookId: "b", page: 3, status: "processing", url: null, error: null, ...changes } as PageState;
}

function setUp() {
  let hear: Hear | null = null;
  let options = { model: "waifu2x-cunet", scale: 2, tileSize: 0, noise: null as number | null };
  const http = {
    get: vi.fn(async (path: string) => {
      if (path === "/v1/models") return { models: MODELS };
      return path === "/v1/cache" ? { totalFiles: 3, totalSize: 99, cacheDir: "/cache" } : options;
    }),
    patch: vi.fn(async (_path: string, changes: object) => (options = { ...options, ...changes })),
    post: vi.fn(async () => page()),
    delete: vi.fn(async () => ({ removedFiles: 5 }) as unknown),
    send: vi.fn(async () => new Response(new Uint8Array([1, 2, 3]))),
  };
  const feed = {
    on: vi.fn((_type: string, handler: Hear) => {
      hear = handler;
      return () => (hear = null);
    }),
  };
  const client = new UpscaleClient(http as never, feed as never);
  const say = (state: PageState) => hear?.({ type: "upscale-ready", ...(state as UpscaleReady) });
  return { http, client, say, listens: () => hear !== null };
}

describe("the client of earlier readers", () => {
  let world: ReturnType<typeof setUp>;
  beforeEach(async () => {
    await i18n.use("en");
    vi.useFakeTimers();
    world = setUp();
  });
  afterEach(() => vi.useRealTimers());

  it("learns the models and says what is here", async () => {
    const { client } = world;
    expect([client.isInitialized(), client.isAvailable()]).toEqual([false, false]);
    await client.initialize();
    expect([client.isInitialized(), client.isAvailable()]).toEqual([true, true]);
    expect(client.getAvailableModels()).toEqual(["waifu2x-cunet", "realcugan-se"]);
    expect(client.getCurrentModel()).toEqual({ modelName: "waifu2x-cunet", scale: 2, tileSize: 0, noiseLevel: null });
  });

  it("sets model, scale, tile and noise, one at a time", async () => {
    const { client, http } = world;
    await client.setModel("realcugan-se", 4);
    await client.setTileSize(128);
    await client.setNoiseLevel(2);
    expect(http.patch.mock.calls.map(([, changes]) => changes)).toEqual([
      { model: "realcugan-se", scale: 4 },
      { tileSize: 128 },
      { noise: 2 },
    ]);
    expect(client.getCurrentModel()).toEqual({ modelName: "realcugan-se", scale: 4, tileSize: 128, noiseLevel: 2 });
  });

  it("gives the bytes of a page once it is made", async () => {
    const { client, http, say, listens } = world;
    await client.initialize();
    const bytes = client.upscaleImage(PATH);
    await vi.advanceTimersByTimeAsync(10);
    say(page({ page: 4, status: "completed", url: "/v1/renders/other" }));
    say(page({ share: 0.5 }));
    say(page({ status: "completed", url: "/v1/renders/k" }));
    expect(await bytes).toEqual(new Uint8Array([1, 2, 3]));
    const asked = { imagePath: PATH, priority: "current", modelName: "waifu2x-cunet", scale: 2, tileSize: 0 };
    const whoReads = { query: { seat: expect.stringMatching(/^[0-9a-f]{24}$/) as string } };
    expect(http.post).toHaveBeenCalledWith("/v1/reader/requests", { ...asked, noiseLevel: null }, whoReads);
    expect(http.send).toHaveBeenCalledWith("GET", "/v1/renders/k");
    expect(listens()).toBe(false);
  });

  it("does not miss news that come before the answer", async () => {
    const { client, http, say } = world;
    http.post.mockImplementationOnce(async () => {
      say(page({ status: "completed", url: "/v1/renders/k" }));
      return page();
    });
    expect(await client.upscaleImage(PATH)).toHaveLength(3);
  });

  it.each([
    ["en", "timeout"],
    ["zh", "超时"],
  ] as const)("stops the work when time is up, and says so in %s", async (language, word) => {
    await i18n.use(language);
    const { client, http } = world;
    const bytes = client.upscaleImage(PATH, 30).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(30_001);
    const error = await bytes;
    expect(error).toBeInstanceOf(UpscaleTimeoutError);
    expect((error as Error).message).toContain(word);
    expect(http.delete).toHaveBeenCalledWith("/v1/reader/books/b/pages/3");
  });

  it("reports why a page failed, and that a skipped one has no picture", async () => {
    const { client, http } = world;
    const error = { code: "bad_picture", message: "001.jpg is broken.", remedy: null };
    http.post.mockResolvedValueOnce(page({ status: "failed", error }));
    await expect(client.upscaleImage(PATH)).rejects.toThrow("001.jpg is broken.");
    http.post.mockResolvedValueOnce(page({ status: "skipped" }));
    await expect(client.upscaleImage(PATH)).rejects.toThrow("left as it is");
  });

  it("enlarges a picture of its own and stops by closing the connection", async () => {
    const { client, http } = world;
    const picture = new Blob(["x"], { type: "image/png" });
    await client.upscaleImage(picture);
    const [method, path, form] = http.send.mock.calls[0] as unknown as [string, string, FormData];
    expect([method, path, form.get("model"), form.get("format")]).toEqual([
      "POST",
      "/v1/upscale",
      "waifu2x-cunet",
      "webp",
    ]);
    vi.useRealTimers();
    http.send.mockImplementationOnce(((...call: unknown[]) => {
      const { signal } = call[3] as { signal: AbortSignal };
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    }) as never);
    await expect(client.upscaleImage(picture, 0.02)).rejects.toThrow("timeout");
  });

  it("looks into the cache without making anything", async () => {
    const { client, http } = world;
    http.get.mockResolvedValueOnce({ cached: true, url: "/v1/renders/k" } as never);
    expect(await client.checkCache(PATH)).toBe("/v1/renders/k");
    expect(http.get).toHaveBeenCalledWith("/v1/reader/lookup", {
      query: { imagePath: PATH, tileSize: null, noiseLevel: null },
    });
    await client.initialize();
    http.get.mockResolvedValueOnce({ cached: false, url: null } as never);
    expect(await client.checkCache(PATH)).toBeNull();
    expect(http.get).toHaveBeenLastCalledWith("/v1/reader/lookup", {
      query: { imagePath: PATH, modelName: "waifu2x-cunet", scale: 2, tileSize: 0, noiseLevel: null },
    });
    expect(http.post).not.toHaveBeenCalled();
    expect(http.delete).not.toHaveBeenCalled();
  });

  it("tells of the cache and cleans it by age", async () => {
    const { client, http } = world;
    expect(await client.getCacheStats()).toEqual({ totalFiles: 3, totalSize: 99, cacheDir: "/cache" });
    expect(await client.cleanupCache(7)).toBe(5);
    expect(http.delete).toHaveBeenCalledWith("/v1/cache", { query: { olderThanDays: 7 } });
  });

  it("says in one sentence how a test went", async () => {
    const { client } = world;
    await client.initialize();
    expect(await client.test(new Blob(["x"]))).toMatch(/^waifu2x-cunet at 2 times: 3 B in /);
  });
});
