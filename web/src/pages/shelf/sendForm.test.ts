import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { api } from "../../api/client";
import { later, settled } from "../fakes";
import { sendForm } from "./sendForm";

class FakeRequest {
  static all: FakeRequest[] = [];
  upload: { onprogress?: (event: { loaded: number }) => void } = {};
  status = 0;
  response: unknown = null;
  sent = false;
  onload = (): void => undefined;
  onabort = (): void => undefined;
  open = (): void => undefined;
  setRequestHeader = (): void => undefined;

  constructor() {
    FakeRequest.all.push(this);
  }

  send(): void {
    this.sent = true;
  }

  abort(): void {
    this.onabort();
  }
}

describe("a form on its way", () => {
  beforeEach(() => {
    FakeRequest.all = [];
    vi.stubGlobal("XMLHttpRequest", FakeRequest);
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it("tells how much is out, and gives what the server answers", async () => {
    vi.spyOn(api, "get").mockResolvedValue({});
    const out: number[] = [];
    const answer = sendForm(new FormData(), (bytes) => out.push(bytes), new AbortController().signal);
    await settled();
    const request = FakeRequest.all[0];
    if (request === undefined) throw new Error("nothing was sent");
    request.upload.onprogress?.({ loaded: 7 });
    [request.status, request.response] = [201, { items: [] }];
    request.onload();
    expect(await answer).toEqual({ items: [] });
    expect([request.sent, out]).toEqual([true, [7]]);
  });

  it("sends nothing when it is cancelled before the server was reached", async () => {
    const slow = later<unknown>();
    vi.spyOn(api, "get").mockReturnValue(slow.promise);
    const stop = new AbortController();
    const answer = sendForm(new FormData(), () => undefined, stop.signal);
    stop.abort();
    slow.resolve({});
    await expect(answer).rejects.toMatchObject({ name: "AbortError" });
    expect(FakeRequest.all).toEqual([]);
  });

  it("stops when it is cancelled on its way", async () => {
    vi.spyOn(api, "get").mockResolvedValue({});
    const stop = new AbortController();
    const answer = sendForm(new FormData(), () => undefined, stop.signal);
    await settled();
    stop.abort();
    await expect(answer).rejects.toMatchObject({ name: "AbortError" });
  });
});
