/** Which rows of a long list have to exist: those that can be seen, and a few beside them. */

export interface Viewport {
  /** Pixels of the list that have gone above the visible edge; negative while the list begins below it. */
  scrolled: number;
  /** Visible height in pixels. */
  height: number;
}

export interface Layout {
  count: number;
  columns: number;
  /** Height of one row with its gap, pixels. */
  rowHeight: number;
}

export interface Slice {
  /** First row that exists, and the one behind the last. */
  firstRow: number;
  endRow: number;
  /** First item that exists, and the one behind the last. */
  first: number;
  end: number;
  /** Height of the whole list, pixels. */
  height: number;
}

const OVERSCAN_ROWS = 3;

/** How many columns of at least `least` pixels fit. */
export function columnsIn(width: number, least: number, gap: number): number {
  return Math.max(1, Math.floor((width + gap) / (least + gap)));
}

/** The part of the list that has to exist. */
export function sliceOf(layout: Layout, view: Viewport): Slice {
  const rows = Math.ceil(layout.count / layout.columns);
  const seenFirst = Math.floor(view.scrolled / layout.rowHeight) - OVERSCAN_ROWS;
  const seenEnd = Math.ceil((view.scrolled + view.height) / layout.rowHeight) + OVERSCAN_ROWS;
  const firstRow = clamp(seenFirst, 0, rows);
  const endRow = clamp(seenEnd, firstRow, rows);
  return {
    firstRow,
    endRow,
    first: firstRow * layout.columns,
    end: Math.min(layout.count, endRow * layout.columns),
    height: rows * layout.rowHeight,
  };
}

/** Where a key leads from `index`; null: the key is not one of the list's. */
export function moved(
  key: string,
  index: number,
  layout: Layout,
  rowsOfAPage: number,
  rightToLeft = false,
): number | null {
  const forward = rightToLeft ? -1 : 1;
  const steps: Record<string, number> = {
    ArrowRight: layout.columns > 1 ? forward : 0,
    ArrowLeft: layout.columns > 1 ? -forward : 0,
    ArrowDown: layout.columns,
    ArrowUp: -layout.columns,
    PageDown: layout.columns * rowsOfAPage,
    PageUp: -layout.columns * rowsOfAPage,
    Home: -layout.count,
    End: layout.count,
  };
  const step = steps[key];
  if (step === undefined || layout.count === 0) return null;
  return clamp(index + step, 0, layout.count - 1);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
