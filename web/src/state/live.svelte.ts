/** Everything live over one WebSocket: it reconnects by itself and says when state has to be asked for again. */
import { socketHref } from "../api/base";
import { i18n } from "../i18n/index.svelte";
import type { LiveMessage, LiveOf, LiveType } from "../api/types";
import { seat } from "./seat";

type Handler<T extends LiveType> = (message: LiveOf<T>) => void;
export type LiveStatus = "idle" | "connecting" | "open" | "lost";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const PING_MS = 20_000;
const SILENCE_MS = 45_000; // no pong for two pings: the connection is dead without knowing it

export class Live {
  status = $state<LiveStatus>("idle");
  #socket: WebSocket | null = null;
  #handlers = new Map<LiveType, Set<Handler<LiveType>>>();
  #resyncs = new Set<() => void>();
  #watched = new Map<string, number>();
  #attempts = 0;
  #wasOpen = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #heart: ReturnType<typeof setInterval> | undefined;
  #heardAt = 0;

  constructor(
    private readonly address: () => string = () => socketHref(`/v1/live?language=${i18n.language}&seat=${seat}`),
  ) {}

  start(): void {
    if (this.status !== "idle") return;
    addEventListener("online", this.#hurry);
    document.addEventListener("visibilitychange", this.#hurry);
    this.#connect();
  }

  stop(): void {
    removeEventListener("online", this.#hurry);
    document.removeEventListener("visibilitychange", this.#hurry);
    clearTimeout(this.#retry);
    this.#drop();
    this.status = "idle";
    this.#wasOpen = false;
  }

  /** With another language: the server tells in the one that the socket was opened with. */
  restart(): void {
    if (this.status === "idle") return;
    clearTimeout(this.#retry);
    this.#drop();
    this.#connect();
  }

  /** Hear messages of one type until the returned function is called. */
  on<T extends LiveType>(type: T, handler: Handler<T>): () => void {
    const handlers = this.#handlers.get(type) ?? new Set();
    this.#handlers.set(type, handlers);
    handlers.add(handler as unknown as Handler<LiveType>);
    return () => void handlers.delete(handler as unknown as Handler<LiveType>);
  }

  /** Called when a connection stands, the first one too: what happened before it has to be asked for. */
  onResync(again: () => void): () => void {
    this.#resyncs.add(again);
    return () => void this.#resyncs.delete(again);
  }

  /** Hear `event` and `progress` of a job, from the event after `after`, until the returned function is called. */
  watch(job: string, after = 0): () => void {
    this.#watched.set(job, after);
    this.#send({ type: "watch", job, after });
    return () => {
      this.#watched.delete(job);
      this.#send({ type: "unwatch", job });
    };
  }

  #connect(): void {
    this.status = this.#wasOpen || this.#attempts > 0 ? "lost" : "connecting";
    const socket = new WebSocket(this.address());
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = (event: MessageEvent<string>) => this.#heard(event.data);
    socket.onclose = () => {
      if (this.#socket === socket) this.#lost();
    };
  }

  #opened(): void {
    this.status = "open";
    this.#wasOpen = true;
    this.#attempts = 0;
    this.#heardAt = Date.now();
    this.#heart = setInterval(() => this.#beat(), PING_MS);
    for (const [job, after] of this.#watched) this.#send({ type: "watch", job, after });
  }

  #heard(text: string): void {
    this.#heardAt = Date.now();
    const message = JSON.parse(text) as LiveMessage;
    if (message.type === "event") this.#remember(message.event);
    // from its hello on the server tells everything; resync: too much happened for one socket
    if (message.type === "hello" || message.type === "resync") for (const resync of this.#resyncs) resync();
    for (const handler of this.#handlers.get(message.type) ?? []) handler(message);
  }

  /** After a reconnection a watched job goes on where it was. */
  #remember(event: { job?: string; number?: number }): void {
    if (event.job && event.number && this.#watched.has(event.job)) this.#watched.set(event.job, event.number);
  }

  #lost(): void {
    this.#drop();
    this.status = "lost";
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#attempts);
    this.#attempts += 1;
    this.#retry = setTimeout(() => this.#connect(), wait * (0.75 + Math.random() / 2));
  }

  #beat(): void {
    if (Date.now() - this.#heardAt > SILENCE_MS) this.#lost();
    else this.#send({ type: "ping" });
  }

  #hurry = (): void => {
    if (this.status !== "lost" || document.visibilityState === "hidden") return;
    clearTimeout(this.#retry);
    this.#drop();
    this.#connect();
  };

  #drop(): void {
    clearInterval(this.#heart);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #send(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}

export const live = new Live();
