import { describe, expect, it } from "vitest";

import { columnOf, heightOf, pageAt, pagesIn, placeAt } from "./column";

const pages = Array.from({ length: 50 }, (_, i) => ({ width: 700, height: i % 7 === 3 ? 500 : 1000 }));
const view = { width: 900, height: 800 };

describe("a column of pages", () => {
  const column = columnOf(pages, view, "width", 1, 8);

  it("lies without overlap, a gap between two", () => {
    for (let i = 1; i < pages.length; i++) {
      const above = (column.tops[i - 1] ?? 0) + (column.sizes[i - 1]?.height ?? 0);
      expect(column.tops[i]).toBeCloseTo(above + 8);
    }
    expect(column.height).toBeCloseTo((column.tops.at(-1) ?? 0) + (column.sizes.at(-1)?.height ?? 0));
  });

  it("finds the page at a height as a plain search does", () => {
    for (const y of [-50, 0, 1, 999, 4321, 20_000, 1e9]) {
      const plain = column.tops.filter((top) => top <= y).length - 1;
      expect(pageAt(column, y)).toBe(Math.max(0, plain));
    }
    expect(pagesIn(column, 0, 800)).toEqual([0, 0]);
  });

  it("keeps a place through every change of sizes", () => {
    const place = placeAt(column, 12_345);
    for (const [fit, zoom] of [
      ["page", 1],
      ["width", 2.3],
      ["original", 0.5],
    ] as const) {
      const other = columnOf(pages, view, fit, zoom, 8);
      expect(placeAt(other, heightOf(other, place)).page).toBe(place.page);
      expect(placeAt(other, heightOf(other, place)).share).toBeCloseTo(place.share);
    }
  });

  it("is no wider than the eye takes in, but zooms beyond", () => {
    const desk = { width: 2500, height: 1400 };
    expect(columnOf(pages, desk, "width", 1, 8).width).toBe(1000);
    expect(columnOf(pages, desk, "width", 2, 8).width).toBe(2000);
  });

  it("of no pages is empty", () => {
    const none = columnOf([], view, "width", 1, 8);
    expect([none.height, none.width, pageAt(none, 5)]).toEqual([0, 0, 0]);
  });
});
