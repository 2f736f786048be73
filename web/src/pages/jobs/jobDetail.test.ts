import { describe, expect, it } from "vitest";
import { FakeHttp, FakeLive, later, refusal, settled } from "../fakes";
import { JobDetail } from "./jobDetail.svelte";
import { job, page } from "./samples";

async function opened(): Promise<{ detail: JobDetail; http: FakeHttp; live: FakeLive; shares: [number, number][] }> {
  const http = new FakeHttp()
    .on("GET /v1/jobs/a", job("a", { state: "running", lastEvent: 3 }))
    .on("GET /v1/jobs/a/pages", { items: [page(0), page(1), page(2)], next: "" });
  const live = new FakeLive();
  const shares: [number, number][] = [];
  const detail = new JobDetail("a", http, live, (position, share) => shares.push([position, share]));
  await detail.load();
  return { detail, http, live, shares };
}

function told(live: FakeLive, number: number, type: string, facts: Record<string, unknown> = {}): void {
  live.tell("event", { event: { job: "a", number, at: 10 + number, type, state: "running", ...facts } });
}

describe("JobDetail", () => {
  it("watches its job as long as it is open", async () => {
    const { detail, live } = await opened();
    expect([...live.watched]).toEqual([["a", 0]]);
    detail.close();
    expect(live.watched.size).toBe(0);
    expect(live.hearers).toBe(0);
  });

  it("turns pages as they finish, without asking", async () => {
    const { detail, http, live, shares } = await opened();
    live.tell("progress", { job: "a", position: 1, page: "2.jpg", share: 0.5 });
    live.tell("progress", { job: "other", position: 0, page: "1.jpg", share: 0.9 });
    expect(detail.shares.get(1)).toBe(0.5);
    expect(shares).toEqual([[1, 0.5]]);
    told(live, 4, "page_done", { position: 1, page: "2.jpg", output: "2.jpg", seconds: 3, bytes: 99 });
    expect(detail.pages[1]).toMatchObject({ state: "done", bytes: 99, url: "/v1/jobs/a/pages/1/image" });
    expect(detail.shares.size).toBe(0);
    told(live, 5, "page_failed", {
      position: 2,
      page: "3.jpg",
      error: { code: "bad_picture", message: "broken", remedy: "replace it" },
    });
    expect(detail.pages[2]).toMatchObject({ state: "failed", error: { remedy: "replace it" } });
    expect(http.calls("GET /v1/jobs/a/pages")).toHaveLength(1);
  });

  it("keeps events in order, each once, and asks anew when the socket comes back", async () => {
    const { detail, http, live } = await opened();
    told(live, 1, "submitted");
    told(live, 2, "running");
    told(live, 2, "running");
    told(live, 1, "submitted");
    expect(detail.events.map((event) => event.number)).toEqual([2, 1]);
    http.on("GET /v1/jobs/a/pages", { items: [page(0)], next: "" });
    live.comeBack();
    await settled();
    expect(detail.pages).toHaveLength(1);
  });

  it("is not led astray by events of the past", async () => {
    const http = new FakeHttp()
      .on("GET /v1/jobs/a", job("a", { state: "done", lastEvent: 4 }))
      .on("GET /v1/jobs/a/pages", { items: [page(0, { state: "done", seconds: 2 })], next: "" });
    const live = new FakeLive();
    const detail = new JobDetail("a", http, live);
    const loading = detail.load();
    told(live, 1, "submitted");
    told(live, 2, "listed");
    told(live, 3, "page_failed", { position: 0, error: null });
    told(live, 4, "retried");
    await loading;
    expect(detail.job?.state).toBe("done");
    expect(detail.pages[0]).toMatchObject({ state: "done", seconds: 2 });
    expect(http.calls("GET /v1/jobs/a/pages")).toHaveLength(1);
  });

  it("loses nothing that happens while the pages come", async () => {
    const slow = later<unknown>();
    const http = new FakeHttp()
      .on("GET /v1/jobs/a", job("a", { state: "running", lastEvent: 3 }))
      .on("GET /v1/jobs/a/pages", () => slow.promise);
    const live = new FakeLive();
    const detail = new JobDetail("a", http, live);
    const loading = detail.load();
    await settled();
    told(live, 4, "page_done", { position: 0, output: "1.jpg", seconds: 1, bytes: 1 });
    slow.resolve({ items: [page(0)], next: "" });
    await loading;
    expect(detail.pages[0]?.state).toBe("done");
  });

  it("reads the list anew when it is another", async () => {
    const { detail, http, live } = await opened();
    http.on("GET /v1/jobs/a/pages", { items: [page(0, { state: "cancelled" })], next: "" });
    told(live, 4, "cancelled");
    await settled();
    expect(detail.pages).toHaveLength(1);
  });

  it("loads long lists to their end", async () => {
    const { detail, http } = await opened();
    http.on("GET /v1/jobs/a/pages", (asked: { query?: { after?: string } }) =>
      asked.query?.after === "1" ? { items: [page(2)], next: "" } : { items: [page(0), page(1)], next: "1" },
    );
    await detail.load();
    expect(detail.pages.map((each) => each.position)).toEqual([0, 1, 2]);
  });

  it("shows only what is looked for", async () => {
    const { detail, live } = await opened();
    told(live, 4, "page_failed", { position: 2, error: null });
    detail.shown = "failed";
    expect(detail.visible.map((each) => each.position)).toEqual([2]);
  });

  it("verifies, and forgets it when the archive is another", async () => {
    const { detail, http, live } = await opened();
    http.on("POST /v1/jobs/a/verify", {
      ok: true,
      matched: ["1.jpg"],
      missing: [],
      extra: [],
      mismatched: [],
      failed: [],
      problems: [],
    });
    await detail.verify();
    expect(detail.verification?.matched).toEqual(["1.jpg"]);
    const artifact = { path: "artifacts/a.cbz", sha256: "1", bytes: 1, url: "/v1/jobs/a/artifact" };
    live.tell("job", { job: job("a", { lastEvent: 9, artifact }) });
    expect(detail.verification).toBeNull();
    http.on("POST /v1/jobs/a/verify", () => Promise.reject(refusal("not_ready")));
    await detail.verify();
    expect(detail.verifyFailure?.code).toBe("not_ready");
  });

  it("knows when the job was deleted elsewhere", async () => {
    const { detail, live } = await opened();
    live.tell("job-deleted", { id: "a" });
    expect(detail.gone).toBe(true);
  });
});
