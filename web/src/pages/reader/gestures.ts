/** What fingers, mouse and wheel do on the reader's stage. */
import type { Attachment } from "svelte/attachments";

import type { Point } from "../../reading/geometry";

export interface GestureHandlers {
  /** a single finger scrolls as the browser does it, and is not told to `drag` */
  scrolls?: boolean;
  tap?: (at: Point, twice: boolean) => void;
  /** moved by so much, one pointer down */
  drag?: (dx: number, dy: number) => void;
  /** a quick stroke of a finger; what it moved over was told to `drag` already */
  swipe?: (dx: number, dy: number) => void;
  /** two fingers: grown by a factor around a point */
  pinch?: (factor: number, at: Point) => void;
  /** the wheel; `zooming`: with ctrl, or a touchpad's pinch. True: it was used, the browser does nothing */
  wheel?: (dx: number, dy: number, zooming: boolean, at: Point) => boolean;
}

const TAP_PX = 10;
const TAP_MS = 350;
const TWICE_MS = 320;
const SWIPE_PX = 40;
const SWIPE_MS = 350;
const LINE_PX = 40;

export function gestures(handlers: GestureHandlers): Attachment<HTMLElement> {
  return (element) => {
    const tracker = new Tracker(element, handlers);
    const listening = new AbortController();
    const options = { signal: listening.signal };
    element.addEventListener("pointerdown", (event) => tracker.down(event), options);
    element.addEventListener("pointermove", (event) => tracker.move(event), options);
    element.addEventListener("pointerup", (event) => tracker.up(event), options);
    element.addEventListener("pointercancel", (event) => tracker.cancel(event), options);
    element.addEventListener("wheel", (event) => tracker.wheel(event), { ...options, passive: false });
    element.addEventListener("dragstart", (event) => event.preventDefault(), options);
    return () => listening.abort();
  };
}

class Tracker {
  #fingers = new Map<number, Point>();
  #begun: { at: Point; time: number; moved: boolean; single: boolean } | null = null;
  #lastTap: { at: Point; time: number } | null = null;

  constructor(
    private readonly element: HTMLElement,
    private readonly handlers: GestureHandlers,
  ) {}

  down(event: PointerEvent): void {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    if (event.target instanceof Element && event.target.closest("button, a, input, select, [data-own-pointer]")) return;
    this.#fingers.set(event.pointerId, this.#point(event));
    if (this.#fingers.size === 1) {
      this.#begun = { at: this.#point(event), time: event.timeStamp, moved: false, single: true };
    } else if (this.#begun) this.#begun.single = false;
  }

  move(event: PointerEvent): void {
    const before = this.#fingers.get(event.pointerId);
    if (!before || !this.#begun) return;
    const now = this.#point(event);
    if (this.#fingers.size === 2) return this.#pinched(event.pointerId, now);
    if (!this.#begun.moved && distance(now, this.#begun.at) < TAP_PX) return;
    const native = this.handlers.scrolls === true && event.pointerType === "touch";
    if (!this.#begun.moved && !native) this.element.setPointerCapture(event.pointerId);
    this.#begun.moved = true;
    this.#fingers.set(event.pointerId, now);
    if (!native) this.handlers.drag?.(now.x - before.x, now.y - before.y);
  }

  up(event: PointerEvent): void {
    if (!this.#fingers.delete(event.pointerId) || !this.#begun || this.#fingers.size > 0) return;
    const { at, time, moved, single } = this.#begun;
    this.#begun = null;
    if (!single) return;
    const now = this.#point(event);
    const took = event.timeStamp - time;
    if (!moved && took < TAP_MS) this.#tapped(now, event.timeStamp);
    else if (moved && event.pointerType !== "mouse" && took < SWIPE_MS && distance(now, at) > SWIPE_PX) {
      this.handlers.swipe?.(now.x - at.x, now.y - at.y);
    }
  }

  cancel(event: PointerEvent): void {
    this.#fingers.delete(event.pointerId);
    if (this.#fingers.size === 0) this.#begun = null;
  }

  wheel(event: WheelEvent): void {
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1;
    const zooming = event.ctrlKey || event.metaKey;
    if (this.handlers.wheel?.(event.deltaX * unit, event.deltaY * unit, zooming, this.#point(event))) {
      event.preventDefault();
    }
  }

  #tapped(at: Point, time: number): void {
    const last = this.#lastTap;
    const twice = last !== null && time - last.time < TWICE_MS && distance(last.at, at) < 3 * TAP_PX;
    this.#lastTap = twice ? null : { at, time };
    this.handlers.tap?.(at, twice);
  }

  #pinched(id: number, now: Point): void {
    const [other] = [...this.#fingers].filter(([each]) => each !== id).map(([, point]) => point);
    const before = this.#fingers.get(id);
    if (!other || !before) return;
    this.#fingers.set(id, now);
    const [middle, middleBefore] = [between(now, other), between(before, other)];
    this.handlers.drag?.(middle.x - middleBefore.x, middle.y - middleBefore.y);
    const apart = distance(before, other);
    if (apart > 1) this.handlers.pinch?.(distance(now, other) / apart, middle);
  }

  #point(event: MouseEvent): Point {
    const box = this.element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }
}

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);
const between = (a: Point, b: Point): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
