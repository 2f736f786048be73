/** What stands on the shelf: roots, what lies in the folder being looked at, and what was read last. */

import { toldOf, type Http } from "../ports";
import type { Item, Listed, Root, Told } from "../wire";

const PIECE = 200;
const RECENT = 12;

export interface Place {
  /** A root's id; "" for the top, where all roots are. */
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
  hasMore = $derived.by(() => this.#next !== "");
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

  /** Take a root off the shelf; its files stay where they are. */
  async removeRoot(root: Root): Promise<void> {
    await this.http.delete(`/v1/shelf/roots/${root.id}`);
    await this.goTo(this.place.root === root.id ? TOP : this.place);
  }

  #list(after: string): Promise<Listed<Item>> {
    const { root, group, query } = this.place;
    const where = { root: root || undefined, group: group || undefined, q: query || undefined };
    return this.http.get<Listed<Item>>("/v1/shelf/items", { ...where, after: after || undefined, limit: PIECE });
  }

  async #roots(): Promise<Root[]> {
    return (await this.http.get<{ roots: Root[] }>("/v1/shelf")).roots;
  }

  /** Only the top tells what was read last: elsewhere it would be in the way. */
  async #recent(place: Place): Promise<Item[]> {
    if (place.root !== "" || place.group !== "" || place.query !== "") return [];
    return (await this.http.get<{ items: Item[] }>("/v1/shelf/recent", { limit: RECENT })).items;
  }

  #crumbs(): Crumb[] {
    const { root: id, group } = this.place;
    const root = this.roots.find((each) => each.id === (id || rootOf(group)));
    if (root === undefined) return [];
    const crumbs: Crumb[] = [{ title: root.name, root: root.id, group: "" }];
    const parts = partsOf(group);
    parts.forEach((title, at) => {
      crumbs.push({ title, root: root.id, group: groupId(root.id, parts.slice(0, at + 1)) });
    });
    return crumbs;
  }
}

function same(one: Place, other: Place): boolean {
  return one.root === other.root && one.group === other.group && one.query === other.query;
}

/** "<root>:<path>" in base64url: what a group's id says of where it lies. */
function decoded(id: string): string {
  try {
    const bytes = Uint8Array.from(atob(id.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
    return new TextDecoder().decode(bytes);
  } catch {
    return "";
  }
}

function rootOf(group: string): string {
  return decoded(group).split(":", 1)[0] ?? "";
}

function partsOf(group: string): string[] {
  const text = decoded(group);
  return text
    .slice(text.indexOf(":") + 1)
    .split("/")
    .filter((part) => part !== "");
}

function groupId(root: string, parts: string[]): string {
  const bytes = new TextEncoder().encode(`${root}:${parts.join("/")}`);
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
