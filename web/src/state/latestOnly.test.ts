import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { LatestOnly } from "./latestOnly";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it("sends the first at once and of thirty fast ones only the last", async () => {
  const sent: number[] = [];
  const turns = new LatestOnly<number>(async (page) => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    sent.push(page);
  });
  turns.push(0);
  await vi.advanceTimersByTimeAsync(1);
  for (let page = 1; page <= 30; page++) turns.push(page);
  await vi.advanceTimersByTimeAsync(1000);
  expect(sent).toEqual([0, 30]);
});

it("never has two under way", async () => {
  let [now, most] = [0, 0];
  const turns = new LatestOnly<number>(async () => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 200));
    now -= 1;
  }, 10);
  for (let i = 0; i < 20; i++) {
    turns.push(i);
    await vi.advanceTimersByTimeAsync(70);
  }
  expect(most).toBe(1);
});

it("sends nothing once it is closed", async () => {
  const sent: number[] = [];
  const turns = new LatestOnly<number>(async (page) => void sent.push(page));
  turns.push(1);
  turns.push(2);
  turns.close();
  turns.push(3);
  await vi.advanceTimersByTimeAsync(1000);
  expect(sent).toEqual([1]);
});
