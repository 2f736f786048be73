import { describe, expect, it } from "vitest";
import { columnsIn, moved, sliceOf } from "./windowing";

const layout = { count: 5000, columns: 6, rowHeight: 250 };

describe("sliceOf", () => {
  it("keeps a handful of rows of thousands", () => {
    const slice = sliceOf(layout, { scrolled: 25_000, height: 800 });
    expect(slice.firstRow).toBe(97);
    expect(slice.endRow).toBe(107);
    expect(slice.end - slice.first).toBe(60);
    expect(slice.height).toBe(Math.ceil(5000 / 6) * 250);
  });

  it("covers everything that is seen, wherever it is scrolled to", () => {
    for (let scrolled = -900; scrolled < 210_000; scrolled += 777) {
      const slice = sliceOf(layout, { scrolled, height: 800 });
      const seenFirst = Math.max(0, Math.floor(scrolled / 250));
      const seenLast = Math.min(Math.ceil(5000 / 6) - 1, Math.floor((scrolled + 799) / 250));
      if (seenLast < seenFirst) continue;
      expect(slice.firstRow).toBeLessThanOrEqual(seenFirst);
      expect(slice.endRow).toBeGreaterThan(seenLast);
    }
  });

  it("is empty for an empty list, and ends with the last item", () => {
    expect(sliceOf({ ...layout, count: 0 }, { scrolled: 0, height: 800 })).toMatchObject({
      first: 0,
      end: 0,
      height: 0,
    });
    expect(sliceOf({ ...layout, count: 4 }, { scrolled: 0, height: 800 }).end).toBe(4);
  });
});

describe("columnsIn", () => {
  it("fits as many as there is room for, one at least", () => {
    expect(columnsIn(640, 150, 10)).toBe(4);
    expect(columnsIn(639, 150, 10)).toBe(4);
    expect(columnsIn(629, 150, 10)).toBe(3);
    expect(columnsIn(90, 150, 10)).toBe(1);
  });
});

describe("moved", () => {
  it("goes by rows and items, and stays inside", () => {
    expect(moved("ArrowRight", 0, layout, 3)).toBe(1);
    expect(moved("ArrowRight", 1, layout, 3, true)).toBe(0);
    expect(moved("ArrowDown", 0, layout, 3)).toBe(6);
    expect(moved("PageDown", 0, layout, 3)).toBe(18);
    expect(moved("ArrowUp", 2, layout, 3)).toBe(0);
    expect(moved("End", 2, layout, 3)).toBe(4999);
    expect(moved("Home", 4000, layout, 3)).toBe(0);
  });

  it("leaves other keys alone", () => {
    expect(moved("a", 0, layout, 3)).toBeNull();
    expect(moved("ArrowDown", 0, { ...layout, count: 0 }, 3)).toBeNull();
  });
});
