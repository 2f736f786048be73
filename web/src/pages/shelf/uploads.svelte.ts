/** What is being brought to the shelf: one transfer at a time, each to be seen, cancelled and tried again. */

import type { NamedFile } from "./droppedFiles";
import { toldOf } from "../ports";
import type { Item, Told } from "../wire";

export type UploadState = "waiting" | "sending" | "storing" | "done" | "failed" | "cancelled";

/** Sends a form and tells how many bytes are out; rejects with what the server told, or when the signal says so. */
export type SendForm = (
  form: FormData,
  onSent: (bytes: number) => void,
  signal: AbortSignal,
) => Promise<{ items: Item[] }>;

export class Upload {
  state = $state<UploadState>("waiting");
  sent = $state(0);
  failure = $state.raw<Told | null>(null);
  items = $state.raw<Item[]>([]);
  readonly bytes: number;
  share = $derived.by(() => (this.bytes === 0 ? 0 : Math.min(1, this.sent / this.bytes)));
  isOver = $derived.by(() => this.state === "done" || this.state === "failed" || this.state === "cancelled");
  #stop = new AbortController();

  constructor(
    readonly id: number,
    readonly name: string,
    readonly files: readonly NamedFile[],
  ) {
    this.bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  }

  async run(send: SendForm): Promise<void> {
    const stop = this.#stop; // tried again, it has another one
    const isMine = () => stop === this.#stop && !stop.signal.aborted;
    this.state = "sending";
    try {
      const answer = await send(this.#form(), (bytes) => isMine() && this.#note(bytes), stop.signal);
      if (!isMine()) return;
      this.items = answer.items;
      this.state = "done";
    } catch (error) {
      if (!isMine()) return;
      this.failure = toldOf(error);
      this.state = "failed";
    }
  }

  cancel(): void {
    if (this.isOver) return;
    this.state = "cancelled";
    this.#stop.abort();
  }

  /** Back to where it began. */
  reset(): void {
    this.#stop = new AbortController();
    this.state = "waiting";
    this.sent = 0;
    this.failure = null;
  }

  /** Everything is out, but the server still has to write it down. */
  #note(bytes: number): void {
    this.sent = bytes;
    if (bytes >= this.bytes && this.state === "sending") this.state = "storing";
  }

  #form(): FormData {
    const form = new FormData();
    for (const { file, path } of this.files) form.append("files", file, path);
    return form;
  }
}

export class Uploads {
  list = $state.raw<Upload[]>([]);
  isBusy = $derived.by(() => this.list.some((upload) => !upload.isOver));
  #count = 0;
  #running = false;

  constructor(
    private readonly send: SendForm,
    private readonly onDone: (upload: Upload) => void = () => undefined,
  ) {}

  /** Bring these, one transfer for each name. */
  add(groups: ReadonlyMap<string, readonly NamedFile[]>): void {
    const fresh = [...groups].map(([name, files]) => new Upload(++this.#count, name, files));
    this.list = [...this.list, ...fresh];
    void this.#run();
  }

  retry(upload: Upload): void {
    upload.reset();
    void this.#run();
  }

  dismiss(upload: Upload): void {
    upload.cancel();
    this.list = this.list.filter((each) => each !== upload);
  }

  /** All that are over go; those still on their way stay. */
  clear(): void {
    this.list = this.list.filter((upload) => !upload.isOver);
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      await next.run(this.send);
      if (next.state === "done") this.onDone(next);
    }
    this.#running = false;
  }

  #next(): Upload | undefined {
    return this.list.find((upload) => upload.state === "waiting");
  }
}
