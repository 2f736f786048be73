/** The models there are, what is being fetched, and what is truly in use. */

import { SvelteMap } from "svelte/reactivity";
import { switchedTo } from "../parts/choices";
import { toldOf, type Http, type LiveFeed } from "../ports";
import type { Model, Pull, ReaderView, Told, Worker } from "../wire";

export type Purpose = "all" | "art" | "photo";

export class ModelsState {
  models = $state.raw<Model[]>([]);
  workers = $state.raw<Worker[]>([]);
  reader = $state.raw<ReaderView | null>(null);
  /** What is being fetched, or was just now, by the model's name. */
  pulls = new SvelteMap<string, Pull>();
  loading = $state(true);
  failure = $state.raw<Told | null>(null);

  #loads = 0;
  #stops: (() => void)[];

  constructor(
    private readonly http: Http,
    live: LiveFeed,
  ) {
    this.#stops = [
      live.on("pull", (message) => void this.#takePull(message)),
      live.on("workers", ({ workers }) => {
        this.workers = workers;
      }),
      live.on("reader", (message) => {
        this.reader = message;
      }),
      live.onResync(() => void this.load()),
    ];
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  async load(): Promise<void> {
    const load = ++this.#loads;
    try {
      const [models, devices, reader] = await Promise.all([
        this.http.get<{ models: Model[] }>("/v1/models"),
        this.http.get<{ workers: Worker[] }>("/v1/devices"),
        this.http.get<ReaderView>("/v1/reader"),
      ]);
      if (load !== this.#loads) return;
      this.#takeModels(models.models);
      this.workers = devices.workers;
      this.reader = reader;
      this.failure = null;
    } catch (error) {
      if (load === this.#loads) this.failure = toldOf(error);
    } finally {
      if (load === this.#loads) this.loading = false;
    }
  }

  /** For what they are made; those for any picture are for both. */
  of(purpose: Purpose): Model[] {
    return this.models.filter((model) => purpose === "all" || model.purpose === purpose || model.purpose === "any");
  }

  pullOf(model: Model): Pull | null {
    return this.pulls.get(model.name) ?? null;
  }

  /** Begin to fetch the weights; the live socket tells how far it is. */
  async pull(model: Model): Promise<void> {
    this.pulls.set(model.name, { model: model.name, state: "running", bytes: 0, total: model.bytes, error: null });
    try {
      await this.http.post(`/v1/models/${model.name}/pulls`);
    } catch (error) {
      this.pulls.set(model.name, { model: model.name, state: "failed", bytes: 0, total: 0, error: toldOf(error) });
    }
  }

  async cancel(model: Model): Promise<void> {
    await this.http.delete(`/v1/models/${model.name}/pulls`);
  }

  /** The failure was read. */
  dismiss(model: Model): void {
    this.pulls.delete(model.name);
  }

  /** Read with this model; a scale or noise level that it lacks becomes one that it has. */
  async useForReading(model: Model): Promise<void> {
    const changes = this.reader === null ? { model: model.name } : switchedTo(model, this.reader);
    this.reader = await this.http.patch<ReaderView>("/v1/reader", changes);
  }

  isForReading(model: Model): boolean {
    const name = this.reader?.model.toLowerCase();
    return name === model.name.toLowerCase() || model.aliases.some((alias) => alias.toLowerCase() === name);
  }

  /** The networks of a model that workers keep open, each with what it runs on. */
  openOn(model: Model): { device: string; runtime: string; dtype: string }[] {
    const found = this.workers.flatMap((worker) => worker.models).filter((open) => open.card === model.name);
    return [...new Map(found.map((open) => [`${open.runtime} ${open.device} ${open.dtype}`, open])).values()];
  }

  async #takePull(pull: Pull): Promise<void> {
    if (pull.state === "running" || pull.state === "failed") {
      this.pulls.set(pull.model, pull);
      return;
    }
    if (pull.state === "done") await this.#reloadModels();
    this.pulls.delete(pull.model);
  }

  async #reloadModels(): Promise<void> {
    try {
      this.models = (await this.http.get<{ models: Model[] }>("/v1/models")).models;
    } catch (error) {
      this.failure = toldOf(error);
    }
  }

  #takeModels(models: Model[]): void {
    this.models = models;
    this.pulls.clear();
    for (const { name, pull } of models) {
      if (pull?.state === "running" || pull?.state === "failed") this.pulls.set(name, { ...pull, model: name });
    }
  }
}
