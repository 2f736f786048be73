import { describe, expect, it } from "vitest";
import { FakeHttp, FakeLive, later, refusal, settled, type Asked } from "../fakes";
import { model, reader } from "../parts/samples";
import type { Model } from "../wire";
import { ModelsState } from "./modelsState.svelte";

const cunet = model("waifu2x-cunet", { aliases: ["cunet"] });
const pro = model("realcugan-pro", { scales: [2, 3], noises: ["none", "conservative", "3"] });
const photo = model("photo", { purpose: "photo" });
const any = model("any", { purpose: "any" });

async function loaded(
  models: Model[] = [cunet, pro, photo, any],
): Promise<{ state: ModelsState; http: FakeHttp; live: FakeLive }> {
  const http = new FakeHttp()
    .on("GET /v1/models", { models })
    .on("GET /v1/devices", { workers: [] })
    .on("GET /v1/reader", reader({ model: "cunet", noise: 1 }))
    .on("PATCH /v1/reader", ({ body }: Asked) => reader(body as Partial<ReturnType<typeof reader>>))
    .on("POST /v1/models/realcugan-pro/pulls", undefined)
    .on("DELETE /v1/models/realcugan-pro/pulls", undefined);
  const live = new FakeLive();
  const state = new ModelsState(http, live);
  await state.load();
  return { state, http, live };
}

describe("ModelsState", () => {
  it("sorts models by what they are for", async () => {
    const { state } = await loaded();
    expect(state.of("all")).toHaveLength(4);
    expect(state.of("photo").map((each) => each.name)).toEqual(["photo", "any"]);
  });

  it("knows the model that is read with by any of its names", async () => {
    const { state } = await loaded();
    expect(state.isForReading(cunet)).toBe(true);
    expect(state.isForReading(pro)).toBe(false);
  });

  it("reads with another model, and with what that one has", async () => {
    const { state, http } = await loaded();
    await state.useForReading(pro);
    expect(http.calls("PATCH /v1/reader")[0]?.body).toEqual({ model: "realcugan-pro", scale: 2, noise: null });
    expect(state.isForReading(pro)).toBe(true);
  });

  it("believes the last of two answers that it asked for, whichever comes first", async () => {
    const { state, http, live } = await loaded();
    const slow = later<{ models: Model[] }>();
    http.on("GET /v1/models", () => slow.promise);
    const first = state.load();
    http.on("GET /v1/models", { models: [pro] });
    live.comeBack();
    await settled();
    slow.resolve({ models: [cunet] });
    await first;
    expect(state.models.map((each) => each.name)).toEqual(["realcugan-pro"]);
    expect(state.loading).toBe(false);
  });

  it("follows a pull from its beginning to its end", async () => {
    const { state, http, live } = await loaded();
    await state.pull(pro);
    expect(state.pullOf(pro)).toMatchObject({ state: "running", bytes: 0, total: 1000 });
    live.tell("pull", { model: "realcugan-pro", state: "running", bytes: 400, total: 1000, error: null });
    expect(state.pullOf(pro)?.bytes).toBe(400);
    http.on("GET /v1/models", { models: [{ ...pro, networksHere: 2 }] });
    live.tell("pull", { model: "realcugan-pro", state: "done", bytes: 1000, total: 1000, error: null });
    await settled();
    expect(state.pullOf(pro)).toBeNull();
    expect(state.models[0]?.networksHere).toBe(2);
  });

  it("cancels a pull", async () => {
    const { state, http, live } = await loaded();
    await state.pull(pro);
    await state.cancel(pro);
    expect(http.calls("DELETE /v1/models/realcugan-pro/pulls")).toHaveLength(1);
    live.tell("pull", { model: "realcugan-pro", state: "cancelled", bytes: 4, total: 1000, error: null });
    await settled();
    expect(state.pullOf(pro)).toBeNull();
  });

  it("keeps why a pull failed, whether it began or not", async () => {
    const { state, http, live } = await loaded();
    const error = { code: "fetch", message: "Nobody answers.", remedy: "Look at the network." };
    live.tell("pull", { model: "realcugan-pro", state: "failed", bytes: 4, total: 1000, error });
    expect(state.pullOf(pro)?.error?.remedy).toBe("Look at the network.");
    http.on("POST /v1/models/realcugan-pro/pulls", () => Promise.reject(refusal("storage")));
    await state.pull(pro);
    expect(state.pullOf(pro)).toMatchObject({ state: "failed", error: { code: "storage" } });
    state.dismiss(pro);
    expect(state.pullOf(pro)).toBeNull();
  });

  it("shows pulls that others began", async () => {
    const pull = { model: "realcugan-pro", state: "running" as const, bytes: 7, total: 9, error: null };
    const { state } = await loaded([{ ...pro, pull }]);
    expect(state.pullOf(pro)?.bytes).toBe(7);
  });

  it("tells on what a model is truly open, each device once", async () => {
    const { state, live } = await loaded();
    const open = {
      model: "MODEL_WAIFU2X_CUNET_UP2X",
      card: cunet.name,
      runtime: "openvino",
      device: "cpu",
      dtype: "bf16",
      fallback: null,
    };
    const worker = {
      id: "1",
      pid: 1,
      state: "idle",
      rssBytes: 1,
      tasks: 0,
      startedAt: 0,
      device: "auto",
      models: [open, open],
    };
    live.tell("workers", { workers: [worker, { ...worker, id: "2" }] });
    expect(state.openOn(cunet)).toEqual([open]);
    expect(state.openOn(pro)).toEqual([]);
  });

  it("hears when reading is set otherwise elsewhere, and lets go of the socket", async () => {
    const { state, live } = await loaded();
    live.tell("reader", reader({ model: "photo" }));
    expect(state.isForReading(photo)).toBe(true);
    state.close();
    expect(live.hearers).toBe(0);
  });
});
