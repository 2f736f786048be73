/** Which pages lie open together. */

export interface Size {
  width: number;
  height: number;
}

export type ReadingMode = "single" | "double" | "continuous";
export type Direction = "rtl" | "ltr";

/** Wider than this is a drawing over two pages; scans of one page are not. */
const WIDE_RATIO = 1.15;

export function isWide(size: Size): boolean {
  return size.height > 0 && size.width / size.height > WIDE_RATIO;
}

/**
 * Page indexes that are shown together, in reading order. Double: the cover lies alone when `loneCover`, a wide page
 * always does, and a page before a wide one stays single rather than being moved.
 */
export function spreadsOf(pages: readonly Size[], mode: ReadingMode, loneCover: boolean): number[][] {
  if (mode !== "double") return pages.map((_, index) => [index]);
  const spreads: number[][] = [];
  for (let index = 0; index < pages.length;) {
    const [here, next] = [pages[index], pages[index + 1]];
    const alone = !here || !next || isWide(here) || isWide(next) || (index === 0 && loneCover);
    spreads.push(alone ? [index] : [index, index + 1]);
    index += alone ? 1 : 2;
  }
  return spreads;
}

/** The number of the spread that a page lies in; the nearest one there is for a page out of range. */
export function spreadWith(spreads: readonly (readonly number[])[], page: number): number {
  const found = spreads.findIndex((pages) => (pages.at(-1) ?? 0) >= page);
  return found < 0 ? Math.max(0, spreads.length - 1) : found;
}
