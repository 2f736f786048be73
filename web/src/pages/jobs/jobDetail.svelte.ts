/** One job looked at closely: its pages, what happened to it, and whether its archive is what it says. */

import { SvelteMap } from "svelte/reactivity";
import type { LiveOf } from "../../api/types";
import { toldOf, type Http, type LiveFeed } from "../ports";
import type { Job, JobEvent, JobPage, Listed, PageState, Told, Verification } from "../wire";

const PIECE = 1000;
const MOST_EVENTS = 500;
/** After these the list of pages is another. */
const RELISTED = new Set(["listed", "retried", "cancelled", "failed", "recovered"]);

export class JobDetail {
  job = $state.raw<Job | null>(null);
  pages = $state.raw<JobPage[]>([]);
  /** Newest first. */
  events = $state.raw<JobEvent[]>([]);
  /** What is done of pages in hand, by position. */
  shares = new SvelteMap<number, number>();
  shown = $state<PageState | "all">("all");
  visible = $derived.by(() =>
    this.shown === "all" ? this.pages : this.pages.filter((page) => page.state === this.shown),
  );
  loading = $state(true);
  failure = $state.raw<Told | null>(null);
  verifying = $state(false);
  verification = $state.raw<Verification | null>(null);
  verifyFailure = $state.raw<Told | null>(null);
  gone = $state(false);

  #lastEvent = 0;
  #pagesAsOf = Infinity; // until they are there, every event is of the past
  #loads = 0;
  #stops: (() => void)[];

  constructor(
    readonly id: string,
    private readonly http: Http,
    live: LiveFeed,
    private readonly onShare: (position: number, share: number) => void = () => undefined,
  ) {
    this.#stops = [
      live.on("job", ({ job }) => this.#takeJob(job)),
      live.on("job-deleted", (message) => {
        if (message.id === id) this.gone = true;
      }),
      live.on("event", ({ event }) => this.#takeEvent(event as JobEvent)),
      live.on("progress", (message) => this.#takeShare(message)),
      live.onResync(() => void this.load()),
      live.watch(id),
    ];
  }

  /** Everything anew, and from now on as it happens. */
  async load(): Promise<void> {
    const load = ++this.#loads;
    const known = this.#lastEvent; // what comes now is at least as new
    try {
      const job = await this.http.get<Job>(`/v1/jobs/${this.id}`);
      this.#takeJob(job);
      await this.#loadPages(load, Math.max(known, job.lastEvent));
      if (load === this.#loads) this.failure = null;
    } catch (error) {
      if (load === this.#loads) this.failure = toldOf(error);
    } finally {
      if (load === this.#loads) this.loading = false;
    }
  }

  close(): void {
    this.#loads++;
    for (const stop of this.#stops) stop();
  }

  /** Hash every file of the archive against its report. */
  async verify(): Promise<void> {
    this.verifying = true;
    this.verifyFailure = null;
    try {
      this.verification = await this.http.post<Verification>(`/v1/jobs/${this.id}/verify`);
    } catch (error) {
      this.verifyFailure = toldOf(error);
    } finally {
      this.verifying = false;
    }
  }

  /** The pages as they are; what happened behind the event `asOf` while they came is told of them again. */
  async #loadPages(load: number, asOf: number): Promise<void> {
    const pages: JobPage[] = [];
    let after = "";
    do {
      const piece = await this.http.get<Listed<JobPage>>(`/v1/jobs/${this.id}/pages`, { after, limit: PIECE });
      if (load !== this.#loads) return;
      pages.push(...piece.items);
      after = piece.next;
    } while (after !== "");
    this.pages = pages;
    this.#pagesAsOf = asOf;
    const missed = this.events.filter((each) => each.number > asOf).reverse();
    if (missed.some((event) => RELISTED.has(event.type))) void this.load();
    else for (const event of missed) this.#tellPages(event);
  }

  #takeJob(job: Job): void {
    if (job.id !== this.id || (this.job !== null && job.lastEvent < this.job.lastEvent)) return;
    if (job.artifact?.sha256 !== this.job?.artifact?.sha256) this.verification = null;
    this.job = job;
  }

  #takeEvent(event: JobEvent): void {
    if (event.job !== this.id || event.number <= this.#lastEvent) return;
    this.#lastEvent = event.number;
    this.events = [event, ...this.events].slice(0, MOST_EVENTS);
    if (event.number <= this.#pagesAsOf) return; // of the past: the pages know it
    if (RELISTED.has(event.type)) void this.load();
    else this.#tellPages(event);
  }

  #tellPages(event: JobEvent): void {
    if (typeof event["position"] === "number") this.#takePage(event["position"], event);
  }

  #takePage(position: number, event: JobEvent): void {
    this.shares.delete(position);
    const at = this.pages.findIndex((page) => page.position === position);
    const page = this.pages[at];
    if (page !== undefined) this.pages = this.pages.with(at, { ...page, ...changed(this.id, position, event) });
  }

  #takeShare({ job, position, share }: LiveOf<"progress">): void {
    if (job !== this.id) return;
    this.shares.set(position, share);
    this.onShare(position, share);
  }
}

/** What an event says of its page. */
function changed(job: string, position: number, event: JobEvent): Partial<JobPage> {
  if (event.type === "page_failed") return { state: "failed", error: (event["error"] as Told | undefined) ?? null };
  if (event.type !== "page_done") return {};
  return {
    state: "done",
    error: null,
    output: event["output"] as string,
    bytes: event["bytes"] as number,
    seconds: event["seconds"] as number,
    url: `/v1/jobs/${job}/pages/${position}/image`,
  };
}
