/** Sizes and places of pages on the screen, in CSS pixels. Nothing here knows of enlarged pages: that is the point. */
import type { Direction, Size } from "./spreads";

export type Fit = "page" | "width" | "height" | "original";
export type Turn = 0 | 90 | 180 | 270;
export interface Point {
  x: number;
  y: number;
}
export interface Box extends Size {
  x: number;
  y: number;
}

export const MIN_ZOOM = 0.25;
export const MAX_ZOOM = 8;
/** What a page is taken for whose size is not known: a manga page's shape. */
export const UNKNOWN: Size = { width: 1000, height: 1440 };

export const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

export function sized(size: Size | undefined): Size {
  return size && size.width > 0 && size.height > 0 ? size : UNKNOWN;
}

export function turned(size: Size, turn: Turn): Size {
  return turn % 180 === 0 ? size : { width: size.height, height: size.width };
}

/** Pages of a spread side by side at one height, boxes from its left edge, in the originals' pixels. */
export function laidOut(pages: readonly Size[], direction: Direction): { size: Size; boxes: Box[] } {
  const sizes = pages.map(sized);
  const height = Math.max(...sizes.map((size) => size.height));
  const widths = sizes.map((size) => (size.width * height) / size.height);
  const width = widths.reduce((sum, each) => sum + each, 0);
  let from = 0;
  const boxes = widths.map((each) => {
    const x = direction === "ltr" ? from : width - from - each;
    from += each;
    return { x, y: 0, width: each, height };
  });
  return { size: { width, height }, boxes };
}

/** By what the originals' pixels are multiplied. "page" never enlarges beyond what the window needs. */
export function fitScale(content: Size, view: Size, fit: Fit): number {
  const across = view.width / content.width;
  const down = view.height / content.height;
  const scales: Record<Fit, number> = { page: Math.min(across, down), width: across, height: down, original: 1 };
  const scale = scales[fit];
  return Number.isFinite(scale) && scale > 0 ? scale : 1;
}

/** Where content may lie: centred where it is smaller than the view, without a gap at an edge where it is larger. */
export function within(place: Point, content: Size, view: Size): Point {
  const axis = (at: number, size: number, room: number): number =>
    size <= room ? (room - size) / 2 : clamp(at, room - size, 0);
  return { x: axis(place.x, content.width, view.width), y: axis(place.y, content.height, view.height) };
}

/** Where content goes so that what lies under a point stays under it while the content grows by a factor. */
export function zoomedAround(place: Point, at: Point, factor: number): Point {
  return { x: at.x - (at.x - place.x) * factor, y: at.y - (at.y - place.y) * factor };
}

/** The place where reading begins: the top, and the side that is read first. */
export function beginning(content: Size, view: Size, direction: Direction): Point {
  return within({ x: direction === "rtl" ? -Infinity : 0, y: 0 }, content, view);
}

/** The place where reading ends: where one lands when going back to a page. */
export function ending(content: Size, view: Size, direction: Direction): Point {
  return within({ x: direction === "rtl" ? 0 : -Infinity, y: -Infinity }, content, view);
}
