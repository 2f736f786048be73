/** A job to be: what is asked for, with sane choices made already, and what the server has against it. */

import { newId } from "../ids";
import { fitting } from "../parts/choices";
import { toldOf, type Http } from "../ports";
import type { Job, Model, Priority, ServerView, Told } from "../wire";

export type Format = "same" | "jpg" | "png" | "webp";

export class JobForm {
  path = $state("");
  recursive = $state(true); // a folder's pictures with those of the folders below
  title = $state("");
  volume = $state("");
  model = $state("");
  scale = $state(2);
  noise = $state("none");
  format = $state<Format>("same");
  quality = $state(90);
  lossless = $state(false);
  container = $state<"zip" | "cbz">("cbz");
  priority = $state<Priority>("volume");
  models = $state.raw<Model[]>([]);
  loading = $state(true);
  sending = $state(false);
  failure = $state.raw<Told | null>(null);

  card = $derived.by(() => this.models.find((model) => model.name === this.model) ?? null);
  canSend = $derived.by(() => !this.sending && this.card !== null && this.path.trim() !== "");

  #key = "";

  constructor(private readonly http: Http) {}

  /** Which models there are; the server's own choice is made. */
  async load(): Promise<void> {
    try {
      const [models, server] = await Promise.all([
        this.http.get<{ models: Model[] }>("/v1/models"),
        this.http.get<ServerView>("/v1/server"),
      ]);
      this.models = models.models;
      if (this.model === "") this.choose(server.defaultModel);
      this.failure = null;
    } catch (error) {
      this.failure = toldOf(error);
    } finally {
      this.loading = false;
    }
  }

  /** Another model: what it lacks becomes what it has. */
  choose(name: string): void {
    this.model = name;
    if (this.card === null) return;
    const { scale, noise } = fitting(this.card, this.scale, this.noise);
    this.scale = scale;
    this.noise = noise;
  }

  /** Submit; the job, or null when the server refused it. Pressed twice, it is one job. */
  async send(): Promise<Job | null> {
    this.sending = true;
    this.failure = null;
    this.#key ||= newId();
    try {
      const job = await this.http.post<Job>("/v1/jobs", this.#body(), { "Idempotency-Key": this.#key });
      this.#key = "";
      return job;
    } catch (error) {
      this.failure = toldOf(error);
      if (this.failure.code !== "offline") this.#key = "";
      return null;
    } finally {
      this.sending = false;
    }
  }

  #body(): Record<string, unknown> {
    return {
      path: this.path.trim(),
      recursive: this.recursive,
      title: this.title.trim(),
      volume: this.volume.trim(),
      model: this.model,
      scale: this.scale,
      noise: this.noise,
      format: this.format,
      quality: this.quality,
      lossless: this.lossless && this.format === "webp",
      container: this.container,
      priority: this.priority,
    };
  }
}
