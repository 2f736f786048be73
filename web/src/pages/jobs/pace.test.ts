import { describe, expect, it } from "vitest";
import { Pace } from "./pace";

describe("Pace", () => {
  it("knows nothing before it has seen something happen", () => {
    const pace = new Pace();
    expect(pace.perSecond).toBeNull();
    pace.note(3, 100);
    expect(pace.perSecond).toBeNull();
    pace.note(4, 101);
    expect(pace.perSecond).toBeNull();
  });

  it("measures what was seen, not what was done before", () => {
    const pace = new Pace();
    pace.note(50, 100);
    pace.note(60, 120);
    expect(pace.perSecond).toBeCloseTo(0.5);
    expect(pace.secondsFor(10)).toBeCloseTo(20);
  });

  it("forgets what is long ago", () => {
    const pace = new Pace();
    pace.note(0, 0);
    pace.note(1, 1000);
    pace.note(2, 1001);
    pace.note(12, 1011);
    expect(pace.perSecond).toBeCloseTo(1);
  });

  it("begins anew when the job does", () => {
    const pace = new Pace();
    pace.note(10, 0);
    pace.note(20, 10);
    pace.note(0, 20);
    expect(pace.perSecond).toBeNull();
    pace.forget();
    expect(pace.secondsFor(1)).toBeNull();
  });
});
