/** The list of jobs as it is on the server: loaded page by page, kept true by the live socket. */

import { SvelteMap } from "svelte/reactivity";
import { isEnded, type Action } from "./actions";
import { Pace } from "./pace";
import { toldOf, type Http, type LiveFeed } from "../ports";
import type { Job, JobState, Listed, Priority, Told } from "../wire";

export type Filter = "all" | "open" | "ended" | "failed";

const STATES: Record<Filter, readonly JobState[]> = {
  all: [],
  open: ["queued", "running", "paused", "packing"],
  ended: ["done", "partial", "failed", "cancelled"],
  failed: ["partial", "failed"],
};
const PIECE = 100;

/** Ticks; so that what is shown of times goes on between two messages. */
export type Clock = () => number;

export class JobsState {
  jobs = $state.raw<Job[]>([]);
  filter = $state<Filter>("all");
  text = $state("");
  loading = $state(false);
  failure = $state.raw<Told | null>(null);
  /** Whether the server was asked at all: an empty list before is not an empty list. */
  known = $state(false);
  hasMore = $derived.by(() => this.#next !== "");

  #next = $state("");
  #asked = 0;
  /** What was told of jobs since the list was asked for, and may be newer than the answer; null: it is gone. */
  #told = new Map<string, Job | null>();
  #shares = new SvelteMap<string, Map<number, number>>();
  #paces = new Map<string, Pace>();
  #stops: (() => void)[];

  constructor(
    private readonly http: Http,
    live: LiveFeed,
    private readonly now: Clock = () => Date.now() / 1000,
  ) {
    this.#stops = [
      live.on("job", ({ job }) => this.take(job)),
      live.on("job-deleted", ({ id }) => this.#drop(id)),
      live.onResync(() => void this.load()),
    ];
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  /** The list anew, as long as it was. */
  async load(): Promise<void> {
    const asked = this.#begin();
    try {
      const list = await this.#fetch("", Math.min(500, Math.max(PIECE, this.jobs.length)));
      if (asked !== this.#asked) return;
      this.#next = list.next;
      this.jobs = this.#newest(list.items);
      for (const job of this.jobs) this.#measure(job);
      this.#tellAgain();
      this.failure = null;
      this.known = true;
    } catch (error) {
      if (asked === this.#asked) this.failure = toldOf(error);
    } finally {
      if (asked === this.#asked) this.loading = false;
    }
  }

  /** The next piece of the list; nothing while another is on its way. */
  async more(): Promise<void> {
    if (this.loading || this.#next === "") return;
    const asked = this.#begin();
    try {
      const list = await this.#fetch(this.#next, PIECE);
      if (asked !== this.#asked) return;
      const known = new Set(this.jobs.map((job) => job.id));
      this.#next = list.next;
      this.jobs = [...this.jobs, ...this.#newest(list.items.filter((job) => !known.has(job.id)))];
      this.#tellAgain();
    } catch (error) {
      if (asked === this.#asked) this.failure = toldOf(error);
    } finally {
      if (asked === this.#asked) this.loading = false;
    }
  }

  /** Show other jobs. */
  show(filter: Filter, text: string): Promise<void> {
    this.filter = filter;
    this.text = text;
    this.jobs = [];
    this.known = false;
    return this.load();
  }

  find(id: string): Job | undefined {
    return this.jobs.find((job) => job.id === id);
  }

  /** A job as it is now: in its place, new ones on top, and gone where the filter wants it no more. */
  take(job: Job): void {
    const told = this.#told.get(job.id);
    if (told === null || (told !== undefined && job.lastEvent < told.lastEvent)) return;
    this.#told.set(job.id, job);
    this.#measure(job);
    const at = this.jobs.findIndex((each) => each.id === job.id);
    const known = this.jobs[at];
    if (known !== undefined) {
      if (job.lastEvent < known.lastEvent) return;
      this.jobs = this.#wanted(job) ? this.jobs.with(at, job) : this.jobs.toSpliced(at, 1);
    } else if (this.#wanted(job) && !this.#isBehind(job)) {
      const before = this.jobs.findIndex((each) => each.createdAt <= job.createdAt);
      this.jobs = this.jobs.toSpliced(before < 0 ? this.jobs.length : before, 0, job);
    }
  }

  /** Ask something of a job; raises what the server says against it. */
  async ask(job: Job, action: Action): Promise<void> {
    if (action === "delete") {
      await this.http.delete(`/v1/jobs/${job.id}`);
      this.#drop(job.id);
    } else {
      this.take(await this.http.post<Job>(`/v1/jobs/${job.id}/${action}`));
    }
  }

  async prioritise(job: Job, priority: Priority): Promise<void> {
    this.take(await this.http.patch<Job>(`/v1/jobs/${job.id}/priority`, { priority }));
  }

  /** Pages that are finished, with what is done of those in hand. */
  shareOf(job: Job): number {
    if (job.counts.total === 0) return 0;
    const begun = isEnded(job.state) ? [] : [...(this.#shares.get(job.id)?.values() ?? [])];
    const done = job.counts.done + job.counts.failed + begun.reduce((sum, share) => sum + share, 0);
    return Math.min(1, done / job.counts.total);
  }

  /** How far a page of a watched job is. */
  takeShare(id: string, position: number, share: number): void {
    const shares = new Map(this.#shares.get(id) ?? []);
    if (share >= 1) shares.delete(position);
    else shares.set(position, share);
    this.#shares.set(id, shares);
  }

  /** Pages in a second, lately; null: not known. */
  speedOf(job: Job): number | null {
    return job.state === "running" ? (this.#paces.get(job.id)?.perSecond ?? null) : null;
  }

  /** Seconds to its end; null: not known. */
  secondsLeft(job: Job): number | null {
    if (job.state !== "running") return null;
    const left = job.counts.total * (1 - this.shareOf(job));
    return this.#paces.get(job.id)?.secondsFor(left) ?? null;
  }

  #fetch(after: string, limit: number): Promise<Listed<Job>> {
    return this.http.get<Listed<Job>>("/v1/jobs", { state: STATES[this.filter], text: this.text, after, limit });
  }

  /** The number of an answer that is asked for now. */
  #begin(): number {
    this.loading = true;
    this.#told = new Map();
    return ++this.#asked;
  }

  /** Of each of these what is known last, without those that are gone. */
  #newest(jobs: readonly Job[]): Job[] {
    return jobs
      .filter((job) => this.#told.get(job.id) !== null)
      .map((job) => {
        const known = this.#told.get(job.id) ?? this.find(job.id);
        return known !== undefined && known.lastEvent > job.lastEvent ? known : job;
      });
  }

  /** An answer took the list's place: what was told while it was on its way holds all the same. */
  #tellAgain(): void {
    for (const job of this.#told.values()) if (job !== null) this.take(job);
  }

  #drop(id: string): void {
    this.#told.set(id, null);
    this.jobs = this.jobs.filter((job) => job.id !== id);
    this.#shares.delete(id);
    this.#paces.delete(id);
  }

  #wanted(job: Job): boolean {
    if (job.transient) return false;
    const states = STATES[this.filter];
    const text = this.text.trim().toLowerCase();
    const named = [job.title, job.volume, job.id].some((name) => name.toLowerCase().includes(text));
    return named && (states.length === 0 || states.includes(job.state));
  }

  /** It comes with a later piece of the list. */
  #isBehind(job: Job): boolean {
    const last = this.jobs.at(-1);
    return this.#next !== "" && last !== undefined && job.createdAt < last.createdAt;
  }

  #measure(job: Job): void {
    if (job.state === "running") {
      const pace = this.#paces.get(job.id) ?? new Pace();
      pace.note(job.counts.done + job.counts.failed, this.now());
      this.#paces.set(job.id, pace);
    } else {
      this.#paces.delete(job.id);
      if (isEnded(job.state)) this.#shares.delete(job.id);
    }
  }
}
