import { describe, expect, it } from "vitest";

import { EdgeWheel } from "./edgeWheel";

describe("the wheel at a page's edge", () => {
  it("turns at a push, and once for the glide after it", () => {
    const edge = new EdgeWheel();
    expect(edge.push(100, false, 1000)).toBe(1);
    expect([1020, 1040, 1060, 1080].map((now) => edge.push(60, false, now))).toEqual([0, 0, 0, 0]);
  });

  it("turns again at a new push", () => {
    const edge = new EdgeWheel();
    expect(edge.push(100, false, 1000)).toBe(1);
    expect(edge.push(100, false, 1300)).toBe(1);
    expect(edge.push(-100, false, 1600)).toBe(-1);
  });

  it("adds up small pushes, not in both directions", () => {
    const edge = new EdgeWheel();
    expect(edge.push(30, false, 1000)).toBe(0);
    expect(edge.push(-30, false, 1010)).toBe(0);
    expect(edge.push(-30, false, 1020)).toBe(-1);
  });

  it("does not turn by the push that brought the page to its edge", () => {
    const edge = new EdgeWheel();
    expect(edge.push(100, true, 1000)).toBe(0);
    expect(edge.push(100, false, 1050)).toBe(0);
    expect(edge.push(100, false, 1400)).toBe(1);
  });
});
