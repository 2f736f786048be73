/** What stands on the shelf: roots, what lies in the folder being looked at, and what was read last. */

import { toldOf, type Http } from "../ports";
import type { Item, Listed, Root, Told } from "../wire";

const PIECE = 200;
const RECENT = 12;

export interface Place {
  /** A root's id; "" for the first. */
  root: string;
  /** A group's id; "" for the root itself. */
  group: string;
  query: string;
}

export interface Crumb {
  title: string;
  root: string;
  group: string;
}

export const TOP: Place = { root: "", group: "", query: "" };

export class ShelfState {
  roots = $state.raw<Root[]>([]);
  items = $state.raw<Item[]>([]);
  recent = $state.raw<Item[]>([]);
  place = $state.raw<Place>(TOP);
  loading = $state(true);
  failure = $state.raw<Told | null>(null);
  #rootId = $derived.by(
    () => (this.place.group ? rootOf(this.place.group) : this.place.root) || (this.roots[0]?.id ?? ""),
  );
  hasMore = $derived.by(() => this.#next !== "");
  /** The root that is being looked at: the first one, where none was chosen. */
  root = $derived.by(() => this.roots.find((each) => each.id === this.#rootId) ?? null);
  crumbs = $derived.by(() => this.#crumbs());

  #next = $state("");
  #asked = 0;

  constructor(private readonly http: Http) {}

  /** Go somewhere; what was there before goes at once, so that nothing of it is taken for what is here. */
  async goTo(place: Place): Promise<void> {
    const asked = ++this.#asked;
    const isSame = same(place, this.place) && !this.loading;
    this.place = place;
    if (!isSame) this.items = [];
    this.#next = "";
    this.loading = true;
    try {
      const [roots, recent, list] = await Promise.all([this.#roots(), this.#recent(place), this.#list("")]);
      if (asked !== this.#asked) return;
      this.roots = roots;
      this.recent = recent;
      this.items = list.items;
      this.#next = list.next;
      this.failure = null;
    } catch (error) {
      if (asked === this.#asked) this.failure = toldOf(error);
    } finally {
      if (asked === this.#asked) this.loading = false;
    }
  }

  reload(): Promise<void> {
    return this.goTo(this.place);
  }

  async more(): Promise<void> {
    if (this.loading || this.#next === "") return;
    const asked = ++this.#asked;
    this.loading = true;
    try {
      const list = await this.#list(this.#next);
      if (asked !== this.#asked) return;
      this.items = [...this.items, ...list.items];
      this.#next = list.next;
    } catch (error) {
      if (asked === this.#asked) this.failure = toldOf(error);
    } finally {
      if (asked === this.#asked) this.loading = false;
    }
  }

  /** Put a folder or archive of the server's machine on the shelf; raises what the server has against it. */
  async addRoot(path: string): Promise<Root> {
    const root = await this.http.post<Root>("/v1/shelf/roots", { path: path.trim() });
    await this.reload();
    return root;
  }

  /** Where an item lies on the server's machine. */
  pathOf(item: Item): string {
    const root = this.roots.find((each) => each.id === rootOf(item.id));
    if (root === undefined) return item.path;
    return item.path === "" ? root.path : `${root.path.replace(/\/$/, "")}/${item.path}`;
  }

  /** Take a root off the shelf; its files stay where they are. */
  async removeRoot(root: Root): Promise<void> {
    await this.http.delete(`/v1/shelf/roots/${root.id}`);
    await this.goTo(this.root?.id === root.id ? TOP : this.place);
  }

  #list(after: string): Promise<Listed<Item>> {
    const { root, group, query } = this.place;
    const where = { root: root || undefined, group: group || undefined, q: query || undefined };
    return this.http.get<Listed<Item>>("/v1/shelf/items", { ...where, after: after || undefined, limit: PIECE });
  }

  async #roots(): Promise<Root[]> {
    return (await this.http.get<{ roots: Root[] }>("/v1/shelf")).roots;
  }

  /** Below a root it would be in the way. */
  async #recent(place: Place): Promise<Item[]> {
    if (place.group !== "" || place.query !== "") return [];
    return (await this.http.get<{ items: Item[] }>("/v1/shelf/recent", { limit: RECENT })).items;
  }

  #crumbs(): Crumb[] {
    const root = this.root;
    if (root === null) return [];
    const parts = partsOf(this.place.group);
    const below = parts.map((part, at) => ({
      title: textOf(part),
      root: root.id,
      group: groupId(root.id, parts.slice(0, at + 1)),
    }));
    return [{ title: root.name, root: root.id, group: "" }, ...below];
  }
}

function same(one: Place, other: Place): boolean {
  return one.root === other.root && one.group === other.group && one.query === other.query;
}

/** "<root>:<path>" in base64url, as bytes: names need not be text. */
function bytesOf(id: string): string {
  try {
    return atob(id.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return ":";
  }
}

function rootOf(group: string): string {
  return bytesOf(group).split(":", 1)[0] ?? "";
}

function partsOf(group: string): string[] {
  const bytes = bytesOf(group);
  return bytes
    .slice(bytes.indexOf(":") + 1)
    .split("/")
    .filter((part) => part !== "");
}

function groupId(root: string, parts: string[]): string {
  return btoa(`${root}:${parts.join("/")}`)
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

function textOf(bytes: string): string {
  return new TextDecoder().decode(Uint8Array.from(bytes, (sign) => sign.charCodeAt(0)));
}
