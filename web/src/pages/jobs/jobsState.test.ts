import { describe, expect, it } from "vitest";
import { FakeHttp, FakeLive, later, refusal, settled } from "../fakes";
import type { Job, Listed } from "../wire";
import { JobsState } from "./jobsState.svelte";
import { job } from "./samples";

function listed(jobs: Job[], next = ""): Listed<Job> {
  return { items: jobs, next };
}

async function loaded(
  jobs: Job[],
  next = "",
): Promise<{ state: JobsState; http: FakeHttp; live: FakeLive; clock: { now: number } }> {
  const http = new FakeHttp().on("GET /v1/jobs", listed(jobs, next));
  const live = new FakeLive();
  const clock = { now: 1000 };
  const state = new JobsState(http, live, () => clock.now);
  await state.load();
  return { state, http, live, clock };
}

const ids = (state: JobsState) => state.jobs.map((each) => each.id);

describe("JobsState", () => {
  it("keeps jobs true without asking again", async () => {
    const { state, http, live } = await loaded([job("b", { createdAt: 20 }), job("a", { createdAt: 10 })]);
    live.tell("job", { job: job("a", { createdAt: 10, state: "running", lastEvent: 5 }) });
    live.tell("job", { job: job("c", { createdAt: 30 }) });
    expect(ids(state)).toEqual(["c", "b", "a"]);
    expect(state.find("a")?.state).toBe("running");
    live.tell("job-deleted", { id: "b" });
    expect(ids(state)).toEqual(["c", "a"]);
    expect(http.calls("GET /v1/jobs")).toHaveLength(1);
  });

  it("never goes back to older news", async () => {
    const { state, live } = await loaded([job("a", { state: "done", lastEvent: 9 })]);
    live.tell("job", { job: job("a", { state: "running", lastEvent: 8 }) });
    expect(state.find("a")?.state).toBe("done");
  });

  it("shows what the filter wants, and lets go of what it wants no more", async () => {
    const { state, http, live } = await loaded([]);
    await state.show("open", "berserk");
    expect(http.calls("GET /v1/jobs").at(-1)?.query).toMatchObject({
      state: ["queued", "running", "paused", "packing"],
      text: "berserk",
    });
    live.tell("job", { job: job("x", { title: "Other" }) });
    live.tell("job", { job: job("t", { title: "Berserk", transient: true }) });
    live.tell("job", { job: job("b", { title: "Berserk", lastEvent: 1 }) });
    expect(ids(state)).toEqual(["b"]);
    live.tell("job", { job: job("b", { title: "Berserk", state: "done", lastEvent: 2 }) });
    expect(ids(state)).toEqual([]);
  });

  it("loads the list in pieces, each job once", async () => {
    const { state, http } = await loaded([job("c", { createdAt: 3 }), job("b", { createdAt: 2 })], "cursor");
    expect(state.hasMore).toBe(true);
    state.take(job("old", { createdAt: 1 })); // comes with the next piece
    expect(ids(state)).toEqual(["c", "b"]);
    http.on("GET /v1/jobs", listed([job("b", { createdAt: 2 }), job("old", { createdAt: 1 })]));
    await state.more();
    expect(ids(state)).toEqual(["c", "b", "old"]);
    expect(http.calls("GET /v1/jobs").at(-1)?.query).toMatchObject({ after: "cursor" });
    await state.more();
    expect(http.calls("GET /v1/jobs")).toHaveLength(2);
  });

  it("ignores an answer to a question that is no longer asked", async () => {
    const { state, http } = await loaded([]);
    const slow = later<Listed<Job>>();
    http.on("GET /v1/jobs", () => slow.promise);
    const first = state.show("all", "slow");
    http.on("GET /v1/jobs", listed([job("quick")]));
    await state.show("all", "quick");
    slow.resolve(listed([job("slow")]));
    await first;
    expect(ids(state)).toEqual(["quick"]);
  });

  it("asks anew when the socket comes back", async () => {
    const { state, http, live } = await loaded([job("a")]);
    http.on("GET /v1/jobs", listed([job("b")]));
    live.comeBack();
    await settled();
    expect(ids(state)).toEqual(["b"]);
  });

  it("keeps what is told while the list is on its way", async () => {
    const { state, http, live } = await loaded([job("a", { createdAt: 10 }), job("b", { createdAt: 5 })]);
    const slow = later<Listed<Job>>();
    http.on("GET /v1/jobs", () => slow.promise);
    const loading = state.load();
    live.tell("job", { job: job("a", { createdAt: 10, state: "done", lastEvent: 9 }) });
    state.take(job("new", { createdAt: 20 }));
    live.tell("job-deleted", { id: "b" });
    slow.resolve(
      listed([
        job("a", { createdAt: 10, state: "running", lastEvent: 3 }),
        job("b", { createdAt: 5 }),
        job("c", { createdAt: 1, lastEvent: 4 }),
      ]),
    );
    await loading;
    expect(ids(state)).toEqual(["new", "a", "c"]);
    expect(state.find("a")?.state).toBe("done");
    state.take(job("b", { createdAt: 5, lastEvent: 2 })); // an answer from before it was deleted
    expect(ids(state)).toEqual(["new", "a", "c"]);
  });

  it("lets a job go that the filter wanted when the list was asked for, and wants no more", async () => {
    const { state, http, live } = await loaded([]);
    const slow = later<Listed<Job>>();
    http.on("GET /v1/jobs", () => slow.promise);
    const loading = state.show("open", "");
    live.tell("job", { job: job("a", { state: "done", lastEvent: 9 }) });
    slow.resolve(listed([job("a", { state: "running", lastEvent: 3 })]));
    await loading;
    expect(ids(state)).toEqual([]);
  });

  it("acts on a job, and takes a deleted one away", async () => {
    const { state, http } = await loaded([job("a", { state: "running", lastEvent: 1 })]);
    http.on("POST /v1/jobs/a/pause", job("a", { state: "paused", lastEvent: 2 })).on("DELETE /v1/jobs/a", undefined);
    await state.ask(job("a"), "pause");
    expect(state.find("a")?.state).toBe("paused");
    await state.ask(job("a"), "delete");
    expect(ids(state)).toEqual([]);
  });

  it("gives what the server refuses to whoever asked", async () => {
    const { state, http } = await loaded([job("a")]);
    http.on("POST /v1/jobs/a/resume", () => Promise.reject(refusal("illegal_move")));
    await expect(state.ask(job("a"), "resume")).rejects.toMatchObject({ code: "illegal_move" });
  });

  it("counts what is done of pages in hand", async () => {
    const running = job("a", { state: "running", counts: { total: 4, done: 1, failed: 1, cancelled: 0 } });
    const { state } = await loaded([running]);
    expect(state.shareOf(running)).toBe(0.5);
    state.takeShare("a", 2, 0.5);
    expect(state.shareOf(running)).toBe(0.625);
    state.takeShare("a", 2, 1);
    expect(state.shareOf(running)).toBe(0.5);
    expect(state.shareOf(job("n", { counts: { total: 0, done: 0, failed: 0, cancelled: 0 } }))).toBe(0);
  });

  it("tells speed and time left from what it saw", async () => {
    const at = (done: number, lastEvent: number) =>
      job("a", { state: "running", lastEvent, counts: { total: 100, done, failed: 0, cancelled: 0 } });
    const { state, live, clock } = await loaded([at(10, 1)]);
    expect(state.speedOf(at(10, 1))).toBeNull();
    clock.now += 10;
    live.tell("job", { job: at(20, 2) });
    expect(state.speedOf(at(20, 2))).toBeCloseTo(1);
    expect(state.secondsLeft(at(20, 2))).toBeCloseTo(80);
    live.tell("job", { job: { ...at(20, 3), state: "paused" } });
    expect(state.secondsLeft({ ...at(20, 3), state: "paused" })).toBeNull();
  });

  it("lets go of the socket", async () => {
    const { state, live } = await loaded([]);
    state.close();
    expect(live.hearers).toBe(0);
  });

  it("says why there is no list", async () => {
    const { state, http } = await loaded([]);
    http.on("GET /v1/jobs", () => Promise.reject(refusal("storage", "The disk is gone.")));
    await state.load();
    expect(state.failure).toMatchObject({ code: "storage", message: "The disk is gone.", remedy: "Do otherwise." });
  });
});
