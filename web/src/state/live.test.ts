import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Live } from "./live.svelte";

const HELLO = { type: "hello", version: "1", language: "en" };

class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: { type: string }[] = [];
  onopen: () => void = () => undefined;
  onclose: () => void = () => undefined;
  onmessage: (event: { data: string }) => void = () => undefined;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  static get last(): FakeSocket {
    return FakeSocket.all.at(-1) as FakeSocket;
  }

  opens(): void {
    this.readyState = 1;
    this.onopen();
  }

  says(message: object): void {
    this.onmessage({ data: JSON.stringify(message) });
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as { type: string });
  }

  close(): void {
    this.readyState = 3;
    this.onclose();
  }
}

describe("the live socket", () => {
  let live: Live;

  beforeEach(() => {
    vi.useFakeTimers();
    FakeSocket.all = [];
    vi.stubGlobal("WebSocket", FakeSocket);
    live = new Live(() => "ws://here/v1/live");
    live.start();
  });
  afterEach(() => {
    live.stop();
    vi.useRealTimers();
  });

  it("gives each message to those who listen to its type, until they stop", () => {
    const heard: string[] = [];
    const stop = live.on("job-deleted", ({ id }) => heard.push(id));
    FakeSocket.last.opens();
    FakeSocket.last.says({ type: "job-deleted", id: "1" });
    FakeSocket.last.says({ type: "pong" });
    FakeSocket.last.says({ type: "something-new" });
    stop();
    FakeSocket.last.says({ type: "job-deleted", id: "2" });
    expect(heard).toEqual(["1"]);
  });

  it("comes back by itself, waits longer each time, and has state asked for again", async () => {
    const resync = vi.fn();
    live.onResync(resync);
    FakeSocket.last.opens();
    FakeSocket.last.says(HELLO);
    expect([live.status, resync.mock.calls.length]).toEqual(["open", 1]);
    FakeSocket.last.close();
    expect(live.status).toBe("lost");
    await vi.advanceTimersByTimeAsync(700);
    expect(FakeSocket.all).toHaveLength(2);
    FakeSocket.last.close();
    await vi.advanceTimersByTimeAsync(700);
    expect(FakeSocket.all).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(700);
    FakeSocket.last.opens();
    expect(resync).toHaveBeenCalledOnce(); // nobody tells anything yet
    FakeSocket.last.says(HELLO);
    expect([live.status, resync.mock.calls.length, FakeSocket.all.length]).toEqual(["open", 2, 3]);
  });

  it("has state asked for once the first connection stands: something may have happened before it", () => {
    const resync = vi.fn();
    const stop = live.onResync(resync);
    FakeSocket.last.opens();
    FakeSocket.last.says(HELLO);
    expect(resync).toHaveBeenCalledOnce();
    stop();
    FakeSocket.last.says(HELLO);
    expect(resync).toHaveBeenCalledOnce();
  });

  it("goes on watching jobs where it was", async () => {
    FakeSocket.last.opens();
    const stop = live.watch("j1", 4);
    live.watch("j2");
    expect(FakeSocket.last.sent).toContainEqual({ type: "watch", job: "j1", after: 4 });
    FakeSocket.last.says({ type: "event", event: { job: "j1", number: 9 } });
    stop();
    live.watch("j1", 9);
    FakeSocket.last.close();
    await vi.advanceTimersByTimeAsync(1000);
    FakeSocket.last.opens();
    expect(FakeSocket.last.sent).toEqual([
      { type: "watch", job: "j2", after: 0 },
      { type: "watch", job: "j1", after: 9 },
    ]);
  });

  it("has state asked for again when the server says that this client missed too much", () => {
    const resync = vi.fn();
    live.onResync(resync);
    FakeSocket.last.opens();
    FakeSocket.last.says({ type: "resync" });
    expect(resync).toHaveBeenCalledOnce();
  });

  it("notices a connection that is dead without saying so", async () => {
    FakeSocket.last.opens();
    await vi.advanceTimersByTimeAsync(25_000);
    expect(FakeSocket.last.sent).toContainEqual({ type: "ping" });
    await vi.advanceTimersByTimeAsync(40_000);
    expect(FakeSocket.all.length).toBeGreaterThan(1);
  });

  it("stays closed once it is stopped", async () => {
    FakeSocket.last.opens();
    live.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([live.status, FakeSocket.all.length]).toEqual(["idle", 1]);
  });
});
