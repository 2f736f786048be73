import { beforeEach, describe, expect, it, vi } from "vitest";

import { i18n } from "../i18n/index.svelte";
import { href, socketHref } from "./base";
import { ApiClient } from "./client";
import { ApiError, OfflineError } from "./errors";

const answer = (status: number, body?: unknown) =>
  new Response(body === undefined ? null : JSON.stringify(body), { status });

describe("the API client", () => {
  let fetched: ReturnType<typeof vi.fn>;
  let api: ApiClient;

  beforeEach(async () => {
    document.head.innerHTML = '<base href="/below/ui/">';
    await i18n.use("zh");
    fetched = vi.fn();
    vi.stubGlobal("fetch", fetched);
    api = new ApiClient();
  });

  it("asks below the server's root path, in the reader's language", async () => {
    fetched.mockResolvedValue(answer(200, { a: 1 }));
    expect(await api.get("/v1/jobs", { query: { limit: 5, after: "", state: null } })).toEqual({ a: 1 });
    const [url, init] = fetched.mock.calls[0] as [string, RequestInit];
    expect(url).toBe("/below/v1/jobs?limit=5");
    expect(init.headers).toMatchObject({ "Accept-Language": "zh" });
    expect(href("/below/v1/x")).toBe("/below/v1/x");
    expect(socketHref("/v1/live")).toMatch(/^ws:\/\/.*\/below\/v1\/live$/);
  });

  it("turns a problem into an error with code and remedy", async () => {
    fetched.mockResolvedValue(answer(409, { code: "weights_missing", detail: "No weights.", remedy: "Fetch them." }));
    const error = await api.post("/v1/x", {}).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      status: 409,
      code: "weights_missing",
      message: "No weights.",
      remedy: "Fetch them.",
    });
  });

  it("survives an error that is no problem, and no server at all", async () => {
    fetched.mockResolvedValueOnce(new Response("<html>", { status: 502 }));
    await expect(api.get("/v1/x")).rejects.toMatchObject({ status: 502, code: "unknown" });
    fetched.mockRejectedValueOnce(new TypeError("Failed to fetch"));
    await expect(api.get("/v1/x")).rejects.toBeInstanceOf(OfflineError);
  });

  it("asks for the token once, however many requests were refused, and asks again", async () => {
    let signedIn = false;
    fetched.mockImplementation(async () => (signedIn ? answer(200, 1) : answer(401, { code: "unauthorized" })));
    const ask = vi.fn(async () => {
      await Promise.resolve();
      signedIn = true;
    });
    api.signIn = ask;
    expect(await Promise.all([api.get("/v1/a"), api.get("/v1/b"), api.get("/v1/c")])).toEqual([1, 1, 1]);
    expect(ask).toHaveBeenCalledOnce();
  });

  it("does not ask for the token because of a wrong token", async () => {
    fetched.mockResolvedValue(answer(401, { code: "unauthorized", detail: "Not the token." }));
    api.signIn = vi.fn();
    await expect(api.post("/v1/session", { token: "x" })).rejects.toThrow("Not the token.");
  });

  it("sends forms as they are, and gives nothing for 204", async () => {
    fetched.mockResolvedValue(answer(204));
    const form = new FormData();
    expect(await api.post("/v1/x", form)).toBeUndefined();
    const [, init] = fetched.mock.calls[0] as [string, RequestInit];
    expect(init.body).toBe(form);
    expect(init.headers).not.toHaveProperty("Content-Type");
  });
});
