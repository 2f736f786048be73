/** The open book: where the reader is, and how it lies on the screen. */
import type { ApiClient } from "../api/client";
import type { Book } from "../api/types";
import {
  beginning,
  clamp,
  ending,
  fitScale,
  laidOut,
  MAX_ZOOM,
  MIN_ZOOM,
  turned,
  within,
  zoomedAround,
  type Fit,
  type Point,
  type Turn,
} from "../reading/geometry";
import { spreadsOf, spreadWith, type Direction, type ReadingMode, type Size } from "../reading/spreads";
import type { ReadingHabits } from "./readingHabits.svelte";

type Http = Pick<ApiClient, "put">;
const SAVE_MS = 800;
const AHEAD = 2;

export class ReaderStore {
  /** the page that is read: the first of those shown, from 0 */
  page = $state(0);
  view = $state.raw<Size>({ width: 0, height: 0 });
  zoom = $state(1);
  place = $state.raw<Point>({ x: 0, y: 0 });
  turn = $state<Turn>(0);
  /** originals are shown, as long as a key is held */
  holding = $state(false);
  /** the before/after slider, 0..1 of the width; null: off */
  split = $state<number | null>(null);
  /** a command from outside the page's own scrolling: continuous reading goes there */
  jump = $state.raw<{ page: number; count: number }>({ page: 0, count: 0 });

  #sizes = $state.raw<readonly Size[]>([]);
  #save: ReturnType<typeof setTimeout> | undefined;
  #saved: number;

  readonly spreads = $derived.by(() => spreadsOf(this.#sizes, this.mode, this.habits.loneCover));
  readonly spread = $derived.by(() => spreadWith(this.spreads, this.page));
  readonly shown = $derived.by<readonly number[]>(() => this.spreads[this.spread] ?? []);
  readonly layout = $derived.by(() =>
    laidOut(
      this.shown.map((page) => this.sizeOf(page)),
      this.direction,
    ),
  );
  /** by what originals' pixels are multiplied on the screen, zoom included */
  readonly scale = $derived.by(() => fitScale(turned(this.layout.size, this.turn), this.view, this.fit) * this.zoom);
  readonly content = $derived.by<Size>(() => {
    const size = turned(this.layout.size, this.turn);
    return { width: size.width * this.scale, height: size.height * this.scale };
  });

  constructor(
    readonly book: Book,
    readonly habits: ReadingHabits,
    private readonly http: Http,
    page: number,
  ) {
    this.#sizes = book.pages.map(({ width, height }) => ({ width, height }));
    this.page = clamp(page, 0, Math.max(0, book.pages.length - 1));
    this.#saved = book.progress?.page ?? -1;
    this.jump = { page: this.page, count: 0 };
    this.#keepProgress();
  }

  get total(): number {
    return this.book.pages.length;
  }

  get mode(): ReadingMode {
    return this.habits.mode;
  }

  get direction(): Direction {
    return this.habits.direction;
  }

  get fit(): Fit {
    return this.habits.fit;
  }

  get sizes(): readonly Size[] {
    return this.#sizes;
  }

  sizeOf(page: number): Size {
    return this.#sizes[page] ?? { width: 0, height: 0 };
  }

  /** What a picture turned out to be, for a page whose header could not be read, or that lies on its side. */
  measured(page: number, size: Size): void {
    const known = this.sizeOf(page);
    const same = known.width > 0 && Math.abs(known.width / known.height - size.width / size.height) < 0.02;
    if (same || size.width <= 0) return;
    this.#sizes = this.#sizes.with(page, size);
    this.#settle();
  }

  // ---- turning ----

  get hasNext(): boolean {
    return this.spread < this.spreads.length - 1;
  }

  get hasPrevious(): boolean {
    return this.spread > 0;
  }

  next(): boolean {
    return this.hasNext && this.#openSpread(this.spread + 1, "beginning");
  }

  previous(): boolean {
    return this.hasPrevious && this.#openSpread(this.spread - 1, "ending");
  }

  goTo(page: number): void {
    const wanted = clamp(Math.round(page), 0, Math.max(0, this.total - 1));
    this.#openSpread(spreadWith(this.spreads, wanted), "beginning", wanted);
    this.jump = { page: wanted, count: this.jump.count + 1 };
  }

  /** Continuous reading tells what is on the screen. */
  scrolledTo(page: number): void {
    if (page === this.page) return;
    this.page = page;
    this.#keepProgress();
  }

  /** Pages that are likely to be looked at next, the likeliest first. */
  get coming(): number[] {
    const last = this.shown.at(-1) ?? this.page;
    const ahead = Array.from({ length: AHEAD * this.shown.length }, (_, i) => last + 1 + i);
    return [...ahead, (this.shown[0] ?? this.page) - 1].filter((page) => page >= 0 && page < this.total);
  }

  // ---- looking ----

  resized(view: Size): void {
    const share = this.#middle();
    this.view = view;
    this.#lookAt(share);
  }

  /** Zoom by a factor; what lies under the point stays under it. */
  zoomBy(factor: number, at: Point = { x: this.view.width / 2, y: this.view.height / 2 }): void {
    this.zoomTo(this.zoom * factor, at);
  }

  zoomTo(zoom: number, at: Point = { x: this.view.width / 2, y: this.view.height / 2 }): void {
    const wanted = clamp(zoom, MIN_ZOOM, MAX_ZOOM);
    const factor = wanted / this.zoom;
    if (factor === 1) return;
    const moved = zoomedAround(this.place, at, factor);
    this.zoom = wanted;
    this.place = within(moved, this.content, this.view);
  }

  /** False: there is nowhere to go that way. */
  panBy(dx: number, dy: number): boolean {
    const before = this.place;
    this.place = within({ x: before.x + dx, y: before.y + dy }, this.content, this.view);
    return Math.abs(this.place.x - before.x) > 0.5 || Math.abs(this.place.y - before.y) > 0.5;
  }

  get canPan(): boolean {
    return this.content.width > this.view.width + 1 || this.content.height > this.view.height + 1;
  }

  rotate(): void {
    this.turn = ((this.turn + 90) % 360) as Turn;
    this.#settle();
  }

  setFit(fit: Fit): void {
    this.habits.fit = fit;
    this.zoom = 1;
    this.#settle();
  }

  setMode(mode: ReadingMode): void {
    this.habits.mode = mode;
    this.zoom = 1;
    if (mode === "continuous") this.turn = 0;
    this.#settle();
    this.jump = { page: this.page, count: this.jump.count + 1 };
  }

  setDirection(direction: Direction): void {
    this.habits.direction = direction;
    this.#settle();
  }

  setLoneCover(loneCover: boolean): void {
    this.habits.loneCover = loneCover;
    this.#settle();
  }

  toggleCompare(): void {
    this.split = this.split === null ? 0.5 : null;
  }

  // ---- keeping ----

  /** Save at once what waits to be saved; the window may be closing. */
  flush(): void {
    clearTimeout(this.#save);
    const page = this.shown.at(-1) ?? this.page;
    if (page === this.#saved || this.total === 0) return;
    this.#saved = page;
    this.http
      .put(`/v1/books/${encodeURIComponent(this.book.id)}/progress`, { page }, { keepalive: true })
      .catch(() => (this.#saved = -1));
  }

  #openSpread(spread: number, from: "beginning" | "ending", page = this.spreads[spread]?.[0]): boolean {
    if (page === undefined) return false;
    const same = spread === this.spread;
    this.page = page;
    if (!same) this.place = (from === "beginning" ? beginning : ending)(this.content, this.view, this.direction);
    this.#keepProgress();
    return true;
  }

  #keepProgress(): void {
    clearTimeout(this.#save);
    this.#save = setTimeout(() => this.flush(), SAVE_MS);
  }

  #settle(): void {
    this.place = beginning(this.content, this.view, this.direction);
  }

  /** What of the content lies in the middle of the view, 0..1 both ways. */
  #middle(): Point {
    const { width, height } = this.content;
    return { x: (this.view.width / 2 - this.place.x) / width, y: (this.view.height / 2 - this.place.y) / height };
  }

  #lookAt(share: Point): void {
    if (!Number.isFinite(share.x) || !Number.isFinite(share.y)) return this.#settle();
    const { width, height } = this.content;
    const place = { x: this.view.width / 2 - share.x * width, y: this.view.height / 2 - share.y * height };
    this.place = within(place, this.content, this.view);
  }
}
