import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Book } from "../api/types";
import { ReaderStore } from "./readerStore.svelte";
import { ReadingHabits } from "./readingHabits.svelte";

function book(count: number, wide: readonly number[] = [], progress: number | null = null): Book {
  const pages = Array.from({ length: count }, (_, index) => ({
    index,
    name: `${index}.jpg`,
    width: wide.includes(index) ? 1400 : 700,
    height: 1000,
    format: "jpeg",
    bytes: 1,
  }));
  const kept = progress === null ? null : { page: progress, total: count, at: 0 };
  return { id: "b", title: "B", path: "b", format: "zip", pages, problems: [], progress: kept };
}

class Kept {
  reader: Readonly<Record<string, unknown>> = $state.raw({});
  setReader(reader: Readonly<Record<string, unknown>>): void {
    this.reader = reader;
  }
}

const VIEW = { width: 1000, height: 500 };

describe("the reader", () => {
  let kept: Kept;
  let put: ReturnType<typeof vi.fn>;

  function opened(of = book(10), page = 0): ReaderStore {
    const store = new ReaderStore(of, new ReadingHabits(kept, of.id), { put } as never, page);
    store.resized(VIEW);
    return store;
  }

  beforeEach(() => {
    vi.useFakeTimers();
    kept = new Kept();
    put = vi.fn(async () => undefined);
  });
  afterEach(() => vi.useRealTimers());

  it("opens where it was left, and nowhere outside the book", () => {
    expect(opened(book(10), 4).shown).toEqual([4]);
    expect(opened(book(10), 99).shown).toEqual([9]);
  });

  it("turns page by page and stops at the ends", () => {
    const store = opened(book(3));
    expect([store.previous(), store.next(), store.next(), store.next()]).toEqual([false, true, true, false]);
    expect(store.page).toBe(2);
  });

  it("turns two at a time where two lie open, and knows what comes", () => {
    const store = opened(book(8, [3]));
    store.setMode("double");
    expect(store.spreads).toEqual([[0], [1, 2], [3], [4, 5], [6, 7]]);
    store.next();
    expect(store.shown).toEqual([1, 2]);
    expect(store.coming).toEqual([3, 4, 5, 6, 0]);
    store.goTo(5);
    expect(store.shown).toEqual([4, 5]);
    store.setLoneCover(false);
    expect(store.shown).toContain(5);
  });

  it("keeps the page through a change of layout", () => {
    const store = opened(book(8), 5);
    store.setMode("double");
    expect(store.shown).toContain(5);
    store.setMode("single");
    expect(store.shown).toEqual([5]);
  });

  it("lays pages out by the original alone", () => {
    const store = opened();
    expect(store.content).toEqual({ width: 350, height: 500 });
    store.setFit("width");
    expect(store.content.width).toBe(1000);
    store.rotate();
    expect(store.content.width).toBe(1000);
    expect(store.content.height).toBe(700);
  });

  it("zooms around a point and keeps zoom and place when nothing but the picture changes", () => {
    const store = opened();
    store.zoomTo(4, { x: 500, y: 250 });
    store.panBy(-100, -60);
    const before = { zoom: store.zoom, place: { ...store.place }, content: { ...store.content } };
    store.measured(0, { width: 1400, height: 2000 }); // the sharp picture: twice the pixels, the same shape
    expect({ zoom: store.zoom, place: store.place, content: store.content }).toEqual(before);
  });

  it("corrects a page whose header said otherwise", () => {
    const store = opened(book(2));
    store.measured(0, { width: 1000, height: 700 }); // it lies on its side
    expect(store.content.width).toBeGreaterThan(store.content.height);
  });

  it("pans as far as there is page, and says when it cannot", () => {
    const store = opened();
    expect([store.canPan, store.panBy(50, 50)]).toEqual([false, false]);
    store.zoomTo(8);
    expect(store.canPan).toBe(true);
    store.panBy(1e6, 1e6);
    expect(store.place).toEqual({ x: 0, y: 0 });
    store.panBy(-1e6, -1e6);
    expect(store.place).toEqual({ x: VIEW.width - store.content.width, y: VIEW.height - store.content.height });
  });

  it("keeps the zoom at a turn and begins at the side that is read first", () => {
    const store = opened();
    store.zoomTo(8);
    store.next();
    expect(store.zoom).toBe(8);
    expect(store.place).toEqual({ x: VIEW.width - store.content.width, y: 0 });
    store.previous();
    expect(store.place).toEqual({ x: 0, y: VIEW.height - store.content.height });
  });

  it("keeps the middle in the middle when the window changes", () => {
    const store = opened();
    store.zoomTo(8);
    store.panBy(-300, -400);
    const share = (VIEW.height / 2 - store.place.y) / store.content.height;
    store.resized({ width: 800, height: 900 });
    expect((450 - store.place.y) / store.content.height).toBeCloseTo(share);
  });

  it("saves progress once after fast turns, and at once when the window closes", async () => {
    const store = opened(book(10), 0);
    for (let i = 0; i < 9; i++) store.next();
    expect(put).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2000);
    expect(put).toHaveBeenCalledExactlyOnceWith("/v1/books/b/progress", { page: 9 }, { keepalive: true });
    store.previous();
    store.flush();
    expect(put).toHaveBeenLastCalledWith("/v1/books/b/progress", { page: 8 }, { keepalive: true });
    await vi.advanceTimersByTimeAsync(2000);
    expect(put).toHaveBeenCalledTimes(2);
  });

  it("does not save what is saved already", async () => {
    opened(book(10, [], 4), 4);
    await vi.advanceTimersByTimeAsync(2000);
    expect(put).not.toHaveBeenCalled();
  });

  it("remembers the layout for all books and the direction for each", () => {
    const store = opened();
    store.setDirection("ltr");
    store.setMode("double");
    const again = new ReadingHabits(kept, "b");
    const other = new ReadingHabits(kept, "other");
    expect([again.direction, again.mode, other.mode]).toEqual(["ltr", "double", "double"]);
    const manga = new ReadingHabits(kept, "manga");
    manga.direction = "rtl";
    expect([new ReadingHabits(kept, "b").direction, new ReadingHabits(kept, "new").direction]).toEqual(["ltr", "rtl"]);
  });

  it("has a slider between before and after", () => {
    const store = opened();
    store.toggleCompare();
    expect(store.split).toBe(0.5);
    store.toggleCompare();
    expect(store.split).toBeNull();
  });
});
