/** Pages one below the other: where each is, which are near the screen, and keeping one's place. */
import { fitScale, sized, type Fit } from "./geometry";
import type { Size } from "./spreads";

/** Read as a strip, a page wider than this is hard to take in; zooming goes beyond. */
const WIDEST_PX = 1000;

export interface Column {
  tops: number[];
  sizes: Size[];
  width: number;
  height: number;
}

/** A place in the book that outlives every change of sizes: a page, and how far down in it. */
export interface Place {
  page: number;
  share: number;
}

export function columnOf(pages: readonly Size[], view: Size, fit: Fit, zoom: number, gap: number): Column {
  const room = { width: fit === "width" ? Math.min(view.width, WIDEST_PX) : view.width, height: view.height };
  const sizes = pages.map((page) => {
    const size = sized(page);
    const scale = fitScale(size, room, fit) * zoom;
    return { width: size.width * scale, height: size.height * scale };
  });
  const tops: number[] = [];
  let height = 0;
  for (const size of sizes) {
    tops.push(height);
    height += size.height + gap;
  }
  const width = sizes.reduce((widest, size) => Math.max(widest, size.width), 0);
  return { tops, sizes, width, height: Math.max(0, height - gap) };
}

/** The last page that begins at or above a height: the one there. */
export function pageAt(column: Column, y: number): number {
  let [low, high] = [0, column.tops.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((column.tops[middle] ?? 0) <= y) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

export function placeAt(column: Column, y: number): Place {
  const page = pageAt(column, y);
  const height = column.sizes[page]?.height ?? 1;
  return { page, share: Math.min(1, Math.max(0, (y - (column.tops[page] ?? 0)) / height)) };
}

export function heightOf(column: Column, place: Place): number {
  return (column.tops[place.page] ?? 0) + (column.sizes[place.page]?.height ?? 0) * place.share;
}

/** First and last page that touch a stretch. */
export function pagesIn(column: Column, from: number, to: number): [number, number] {
  return [pageAt(column, from), pageAt(column, to)];
}
