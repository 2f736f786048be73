/** How this browser shows books, remembered: the layout for all of them, the direction for each. */
import type { Fit } from "../reading/geometry";
import type { Direction, ReadingMode } from "../reading/spreads";
import type { Preferences } from "./preferences.svelte";

const MOST_BOOKS = 300;

interface Kept {
  mode: ReadingMode;
  fit: Fit;
  loneCover: boolean;
  strip: boolean;
  direction: Direction;
  directions: Record<string, Direction>;
}

const DEFAULTS: Kept = {
  mode: "single",
  fit: "page",
  loneCover: true,
  strip: false,
  direction: "rtl",
  directions: {},
};

export class ReadingHabits {
  #kept: Kept = $derived.by(() => ({ ...DEFAULTS, ...(this.preferences.reader as Partial<Kept>) }));

  constructor(
    private readonly preferences: Pick<Preferences, "reader" | "setReader">,
    private readonly bookId: string,
  ) {}

  get mode(): ReadingMode {
    return this.#kept.mode;
  }

  set mode(mode: ReadingMode) {
    this.#keep({ mode });
  }

  get fit(): Fit {
    return this.#kept.fit;
  }

  set fit(fit: Fit) {
    this.#keep({ fit });
  }

  get loneCover(): boolean {
    return this.#kept.loneCover;
  }

  set loneCover(loneCover: boolean) {
    this.#keep({ loneCover });
  }

  get strip(): boolean {
    return this.#kept.strip;
  }

  set strip(strip: boolean) {
    this.#keep({ strip });
  }

  get direction(): Direction {
    return this.#kept.directions[this.bookId] ?? this.#kept.direction;
  }

  /** Of this book, and of those that are opened for the first time. */
  set direction(direction: Direction) {
    const others = Object.entries(this.#kept.directions).filter(([id]) => id !== this.bookId);
    const recent = others.slice(1 - MOST_BOOKS);
    this.#keep({ direction, directions: { ...Object.fromEntries(recent), [this.bookId]: direction } });
  }

  #keep(changes: Partial<Kept>): void {
    this.preferences.setReader({ ...this.#kept, ...changes });
  }
}
