import { describe, expect, it } from "vitest";

import { beginning, ending, fitScale, laidOut, turned, within, zoomedAround } from "./geometry";

const view = { width: 1000, height: 800 };

describe("a spread", () => {
  it("has one height, and lies the way it is read", () => {
    const { size, boxes } = laidOut(
      [
        { width: 100, height: 200 },
        { width: 50, height: 100 },
      ],
      "rtl",
    );
    expect(size).toEqual({ width: 200, height: 200 });
    expect(boxes.map((box) => box.x)).toEqual([100, 0]);
    expect(boxes[1]).toMatchObject({ width: 100, height: 200 });
  });

  it("takes a page of unknown size for an ordinary one", () => {
    const { size } = laidOut([{ width: 0, height: 0 }], "ltr");
    expect(size.height / size.width).toBeCloseTo(1.44);
  });
});

describe("fitting", () => {
  it("is by the window, or not at all", () => {
    const page = { width: 500, height: 1000 };
    expect(fitScale(page, view, "page")).toBe(0.8);
    expect(fitScale(page, view, "width")).toBe(2);
    expect(fitScale(page, view, "height")).toBe(0.8);
    expect(fitScale(page, view, "original")).toBe(1);
    expect(fitScale(page, { width: 0, height: 0 }, "page")).toBe(1);
  });

  it("of a page on its side is by its side", () => {
    expect(turned({ width: 3, height: 4 }, 90)).toEqual({ width: 4, height: 3 });
    expect(turned({ width: 3, height: 4 }, 180)).toEqual({ width: 3, height: 4 });
  });
});

describe("a place", () => {
  it("is the middle for what is small, and leaves no gap for what is large", () => {
    expect(within({ x: 7, y: 50 }, { width: 500, height: 1600 }, view)).toEqual({ x: 250, y: 0 });
    expect(within({ x: 7, y: -5000 }, { width: 500, height: 1600 }, view)).toEqual({ x: 250, y: -800 });
  });

  it("begins at the side that is read first and ends at the other", () => {
    const content = { width: 3000, height: 1600 };
    expect(beginning(content, view, "rtl")).toEqual({ x: -2000, y: 0 });
    expect(beginning(content, view, "ltr")).toEqual({ x: 0, y: 0 });
    expect(ending(content, view, "rtl")).toEqual({ x: 0, y: -800 });
  });

  it("keeps what is under the finger there while it grows", () => {
    const [place, at, factor] = [{ x: -100, y: -40 }, { x: 300, y: 200 }, 2.5];
    const next = zoomedAround(place, at, factor);
    expect((at.x - next.x) / factor).toBeCloseTo(at.x - place.x);
    expect((at.y - next.y) / factor).toBeCloseTo(at.y - place.y);
  });
});
