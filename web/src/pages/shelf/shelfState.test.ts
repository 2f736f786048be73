import { describe, expect, it } from "vitest";
import { FakeHttp, later, refusal } from "../fakes";
import type { Item, Listed } from "../wire";
import { idOf, item, root } from "./samples";
import { ShelfState, TOP } from "./shelfState.svelte";

function serverWith(items: Item[], next = ""): FakeHttp {
  return new FakeHttp()
    .on("GET /v1/shelf", { roots: [root("incoming"), root("4f2a", { name: "Manga", path: "/mnt/manga" })] })
    .on("GET /v1/shelf/recent", { items: [item("4f2a:read.cbz")] })
    .on("GET /v1/shelf/items", { items, next });
}

async function at(
  place: Partial<typeof TOP>,
  items: Item[] = [],
  next = "",
): Promise<{ shelf: ShelfState; http: FakeHttp }> {
  const http = serverWith(items, next);
  const shelf = new ShelfState(http);
  await shelf.goTo({ ...TOP, ...place });
  return { shelf, http };
}

describe("ShelfState", () => {
  it("begins with the first root, and what was read last", async () => {
    const { shelf, http } = await at({}, [item("incoming:a.cbz")]);
    expect(shelf.root?.id).toBe("incoming");
    expect(shelf.items).toHaveLength(1);
    expect(shelf.recent).toHaveLength(1);
    expect(http.calls("GET /v1/shelf/items")[0]?.query).toMatchObject({ root: undefined, limit: 200 });
  });

  it("tells where it is, whatever the names", async () => {
    const group = idOf("4f2a:One & Two/第 1 巻");
    const { shelf } = await at({ group });
    expect(shelf.crumbs.map((crumb) => crumb.title)).toEqual(["Manga", "One & Two", "第 1 巻"]);
    expect(shelf.crumbs.map((crumb) => crumb.group)).toEqual(["", idOf("4f2a:One & Two"), group]);
    expect(shelf.recent).toEqual([]);
  });

  it("knows where an item lies on the server", async () => {
    const { shelf } = await at({});
    expect(shelf.pathOf(item("4f2a:One & Two/v1.cbz"))).toBe("/mnt/manga/One & Two/v1.cbz");
    expect(shelf.pathOf(item("4f2a:"))).toBe("/mnt/manga");
    expect(shelf.pathOf(item("gone:v1.cbz"))).toBe("v1.cbz");
  });

  it("loads thousands in pieces", async () => {
    const { shelf, http } = await at({}, [item("incoming:a")], "cursor");
    expect(shelf.hasMore).toBe(true);
    http.on("GET /v1/shelf/items", { items: [item("incoming:b")], next: "" });
    await Promise.all([shelf.more(), shelf.more()]);
    expect(shelf.items.map((each) => each.path)).toEqual(["a", "b"]);
    expect(http.calls("GET /v1/shelf/items").at(-1)?.query).toMatchObject({ after: "cursor" });
    expect(http.calls("GET /v1/shelf/items")).toHaveLength(2);
  });

  it("shows nothing of the folder it left", async () => {
    const { shelf, http } = await at({}, [item("incoming:a")]);
    const slow = later<Listed<Item>>();
    http.on("GET /v1/shelf/items", () => slow.promise);
    const first = shelf.goTo({ ...TOP, group: idOf("incoming:slow") });
    expect(shelf.items).toEqual([]);
    http.on("GET /v1/shelf/items", { items: [item("incoming:quick/b")], next: "" });
    await shelf.goTo({ ...TOP, group: idOf("incoming:quick") });
    slow.resolve({ items: [item("incoming:slow/c")], next: "" });
    await first;
    expect(shelf.items.map((each) => each.path)).toEqual(["quick/b"]);
  });

  it("keeps what is shown while it is read anew", async () => {
    const { shelf, http } = await at({}, [item("incoming:a")]);
    const slow = later<Listed<Item>>();
    http.on("GET /v1/shelf/items", () => slow.promise);
    const again = shelf.reload();
    expect(shelf.items).toHaveLength(1);
    slow.resolve({ items: [], next: "" });
    await again;
    expect(shelf.items).toEqual([]);
  });

  it("adds a root, and gives what is against it to whoever asked", async () => {
    const { shelf, http } = await at({});
    http.on("POST /v1/shelf/roots", root("new"));
    expect((await shelf.addRoot("  /new ")).id).toBe("new");
    expect(http.calls("POST /v1/shelf/roots")[0]?.body).toEqual({ path: "/new" });
    http.on("POST /v1/shelf/roots", () => Promise.reject(refusal("bad_input")));
    await expect(shelf.addRoot("/nowhere")).rejects.toMatchObject({ code: "bad_input" });
  });

  it("goes to the top when the root it is in is taken away", async () => {
    const { shelf, http } = await at({ root: "4f2a" });
    http.on("DELETE /v1/shelf/roots/4f2a", undefined);
    await shelf.removeRoot(root("4f2a"));
    expect(shelf.place).toEqual(TOP);
  });

  it("says why there is nothing", async () => {
    const { shelf, http } = await at({});
    http.on("GET /v1/shelf/items", () => Promise.reject(refusal("unknown_book")));
    await shelf.reload();
    expect(shelf.failure?.code).toBe("unknown_book");
    expect(shelf.loading).toBe(false);
  });
});
