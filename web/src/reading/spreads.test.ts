import { describe, expect, it } from "vitest";

import { isWide, spreadsOf, spreadWith, type Size } from "./spreads";

const tall: Size = { width: 1000, height: 1440 };
const wide: Size = { width: 2000, height: 1440 };
const unknown: Size = { width: 0, height: 0 };

describe("spreads", () => {
  it("are single pages unless two lie open", () => {
    expect(spreadsOf([tall, tall], "single", true)).toEqual([[0], [1]]);
    expect(spreadsOf([tall, wide], "continuous", true)).toEqual([[0], [1]]);
  });

  it("let the cover lie alone, or not", () => {
    expect(spreadsOf([tall, tall, tall, tall], "double", true)).toEqual([[0], [1, 2], [3]]);
    expect(spreadsOf([tall, tall, tall, tall], "double", false)).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it("let a wide page lie alone, and the page before it", () => {
    expect(spreadsOf([tall, tall, wide, tall, tall], "double", true)).toEqual([[0], [1], [2], [3, 4]]);
    expect(isWide(unknown)).toBe(false);
  });

  it.each([0, 1, 2, 7, 40])("hold each of %d pages once, in order", (count) => {
    const pages = Array.from({ length: count }, (_, i) => (i % 5 === 3 ? wide : tall));
    expect(spreadsOf(pages, "double", true).flat()).toEqual(pages.map((_, i) => i));
  });

  it("are found by a page, also by one out of range", () => {
    const spreads = [[0], [1, 2], [3]];
    expect([0, 1, 2, 3, 99].map((page) => spreadWith(spreads, page))).toEqual([0, 1, 1, 2, 2]);
    expect(spreadWith([], 3)).toBe(0);
  });
});
