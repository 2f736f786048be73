/** Short notices at the edge of the screen; errors stay until they are closed. */
import { ApiError, isAbort } from "../api/errors";

export type ToastKind = "info" | "good" | "bad";
export interface Toast {
  id: number;
  kind: ToastKind;
  text: string;
  remedy: string | null;
}

const SHOWN_MS = 5000;
const MOST = 4;

export class Toasts {
  items = $state<Toast[]>([]);
  #next = 1;

  say(text: string, kind: ToastKind = "info", remedy: string | null = null): void {
    const same = this.items.find((toast) => toast.text === text);
    if (same) this.close(same.id);
    const id = this.#next++;
    this.items = [...this.items, { id, kind, text, remedy }].slice(-MOST);
    if (kind !== "bad") setTimeout(() => this.close(id), SHOWN_MS);
  }

  /** What a failed request says, with its remedy; nothing for one that was given up. */
  fail(error: unknown): void {
    if (isAbort(error)) return;
    const remedy = error instanceof ApiError ? error.remedy : null;
    this.say(error instanceof Error ? error.message : String(error), "bad", remedy);
  }

  close(id: number): void {
    this.items = this.items.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
