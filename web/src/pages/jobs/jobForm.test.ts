import { describe, expect, it } from "vitest";
import { OfflineError } from "../../api/errors";
import { FakeHttp, refusal } from "../fakes";
import { model, server } from "../parts/samples";
import { JobForm } from "./jobForm.svelte";
import { job } from "./samples";

const SUBMIT = "POST /v1/jobs";

async function opened(): Promise<{ form: JobForm; http: FakeHttp }> {
  const models = [model("cunet"), model("pro", { scales: [2, 3], noises: ["none", "3"] })];
  const http = new FakeHttp().on("GET /v1/models", { models }).on("GET /v1/server", server()).on(SUBMIT, job("new"));
  const form = new JobForm(http);
  await form.load();
  return { form, http };
}

describe("JobForm", () => {
  it("begins with the server's own model and sane choices", async () => {
    const { form, http } = await opened();
    expect(form.canSend).toBe(false);
    form.path = " berserk-01.cbz ";
    expect(form.canSend).toBe(true);
    expect((await form.send())?.id).toBe("new");
    expect(http.calls(SUBMIT)[0]?.body).toEqual({
      ...{ path: "berserk-01.cbz", recursive: true, title: "", volume: "", model: "cunet", scale: 2, noise: "none" },
      ...{ format: "same", quality: 90, lossless: false, container: "cbz", priority: "volume" },
    });
  });

  it("offers only what the model has", async () => {
    const { form } = await opened();
    form.scale = 1;
    form.noise = "1";
    form.choose("pro");
    expect([form.scale, form.noise]).toEqual([2, "none"]);
  });

  it("asks for loss only of formats that can be without", async () => {
    const { form, http } = await opened();
    form.path = "a";
    form.lossless = true;
    await form.send();
    form.format = "webp";
    await form.send();
    expect(http.calls(SUBMIT).map(({ body }) => (body as { lossless: boolean }).lossless)).toEqual([false, true]);
  });

  it("keeps what the server has against it", async () => {
    const { form, http } = await opened();
    http.on(SUBMIT, () => Promise.reject(refusal("bad_input", "There is no such file.")));
    form.path = "nowhere";
    expect(await form.send()).toBeNull();
    expect(form.failure?.message).toBe("There is no such file.");
    expect(form.canSend).toBe(true);
  });

  it("is one job when the answer was lost and it is sent again", async () => {
    const { form, http } = await opened();
    form.path = "a";
    http.on(SUBMIT, () => Promise.reject(new OfflineError("gone")));
    await form.send();
    await form.send();
    http.on(SUBMIT, job("new"));
    await form.send();
    await form.send();
    const keys = http.calls(SUBMIT).map(({ headers }) => headers?.["Idempotency-Key"]);
    expect(keys[0]).toBeTruthy();
    expect(new Set(keys.slice(0, 3)).size).toBe(1);
    expect(keys[3]).not.toBe(keys[2]);
  });
});
