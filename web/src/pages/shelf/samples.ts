/** What lies on a shelf, for tests. */

import type { Item, Root } from "../wire";

/** "incoming:One & Two/Vol 1" as the server writes it. */
export function idOf(place: string): string {
  const bytes = String.fromCharCode(...new TextEncoder().encode(place));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export function item(place: string, facts: Partial<Item> = {}): Item {
  const id = idOf(place);
  return {
    id,
    kind: "book",
    format: "zip",
    title: place,
    path: place.slice(place.indexOf(":") + 1),
    pages: null,
    cover: `/v1/books/${id}/cover`,
    progress: null,
    bytes: 1,
    modifiedAt: 0,
    ...facts,
  };
}

export function root(id: string, facts: Partial<Root> = {}): Root {
  return { id, name: id, path: `/srv/${id}`, removable: id !== "incoming", here: true, ...facts };
}
