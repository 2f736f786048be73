import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeHttp, FakeLive, later, refusal, type Asked } from "../fakes";
import { model, reader, server } from "../parts/samples";
import type { ReaderView } from "../wire";
import { SettingsState } from "./settingsState.svelte";

const CHANGE = "PATCH /v1/reader";

async function loaded(): Promise<{ state: SettingsState; http: FakeHttp; live: FakeLive }> {
  const http = new FakeHttp()
    .on("GET /v1/reader", reader())
    .on("GET /v1/models", { models: [model("cunet"), model("pro", { scales: [2, 3], noises: ["none", "3"] })] })
    .on("GET /v1/cache", { totalFiles: 3, totalSize: 300, cacheDir: "/cache" })
    .on("GET /v1/server", server())
    .on(CHANGE, ({ body }: Asked) => reader(body as Partial<ReaderView>));
  const live = new FakeLive();
  const state = new SettingsState(http, live);
  await state.load();
  return { state, http, live };
}

describe("SettingsState", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("shows a change at once, and stores a burst of them as one", async () => {
    const { state, http } = await loaded();
    state.set({ quality: 80 });
    state.set({ quality: 70 });
    state.set({ lossless: true });
    expect(state.reader).toMatchObject({ quality: 70, lossless: true });
    await vi.runAllTimersAsync();
    expect(http.calls(CHANGE).map(({ body }) => body)).toEqual([{ quality: 70, lossless: true }]);
  });

  it("takes a refused change back, and says why", async () => {
    const { state, http } = await loaded();
    http.on(CHANGE, () => Promise.reject(refusal("bad_input", "quality: too low.")));
    state.set({ quality: 1 });
    await vi.runAllTimersAsync();
    expect(state.reader?.quality).toBe(90);
    expect(state.refusal?.message).toBe("quality: too low.");
  });

  it("keeps a newer change while an older one is stored", async () => {
    const { state, http, live } = await loaded();
    const slow = later<ReaderView>();
    http.on(CHANGE, () => slow.promise);
    state.set({ quality: 80 });
    vi.runAllTimers();
    state.set({ quality: 60 });
    slow.resolve(reader({ quality: 80 }));
    await Promise.resolve();
    live.tell("reader", reader({ quality: 80 }));
    expect(state.reader?.quality).toBe(60);
  });

  it("chooses what another model has", async () => {
    const { state, http } = await loaded();
    state.set({ scale: 1, noise: 1 });
    state.setModel("pro");
    await vi.runAllTimersAsync();
    expect(http.calls(CHANGE).at(-1)?.body).toEqual({ model: "pro", scale: 2, noise: null });
    expect(state.model?.name).toBe("pro");
    state.setModel("unknown");
    expect(state.model?.name).toBe("pro");
  });

  it("cleans the cache by age, and tells what is left", async () => {
    const { state, http } = await loaded();
    http.on("DELETE /v1/cache", { removedFiles: 2, freedSize: 200 });
    http.on("GET /v1/cache", { totalFiles: 1, totalSize: 100, cacheDir: "/cache" });
    expect(await state.clean(30)).toEqual({ removedFiles: 2, freedSize: 200 });
    expect(http.calls("DELETE /v1/cache")[0]?.query).toEqual({ olderThanDays: 30 });
    expect(state.cache?.totalFiles).toBe(1);
    http.on("DELETE /v1/cache", () => Promise.reject(refusal("storage")));
    expect(await state.clean(0)).toBeNull();
    expect(state.failure?.code).toBe("storage");
  });

  it("stores what is pending when the page is left", async () => {
    const { state, http, live } = await loaded();
    state.set({ enabled: false });
    state.close();
    expect(http.calls(CHANGE)).toHaveLength(1);
    expect(live.hearers).toBe(0);
  });
});
