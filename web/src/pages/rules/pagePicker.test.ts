import { describe, expect, it } from "vitest";
import { FakeHttp, refusal } from "../fakes";
import { item } from "../shelf/samples";
import { PagePickerState } from "./pagePicker.svelte";

function shelf(): FakeHttp {
  return new FakeHttp()
    .on("GET /v1/shelf", { roots: [{ id: "incoming" }, { id: "4f" }] })
    .on("GET /v1/shelf/recent", { items: [item("incoming:b.cbz")] })
    .on("GET /v1/shelf/items", ({ query }: { query?: { root?: string } }) => ({
      items: [item(`${query?.root}:g`, { kind: "group" }), item(`${query?.root}:b.cbz`)],
      next: "",
    }));
}

describe("PagePickerState", () => {
  it("offers books of every root, each once, those read last first", async () => {
    const picker = new PagePickerState(shelf());
    await picker.find("");
    expect(picker.books.map((book) => book.title)).toEqual(["incoming:b.cbz", "4f:b.cbz"]);
  });

  it("searches every root", async () => {
    const http = shelf();
    const picker = new PagePickerState(http);
    await picker.find("ber");
    expect(http.calls("GET /v1/shelf/items").map(({ query }) => query?.["q"])).toEqual(["ber", "ber"]);
    expect(http.calls("GET /v1/shelf/recent")).toHaveLength(0);
  });

  it("opens a book, goes back, and says why not", async () => {
    const http = shelf();
    const picker = new PagePickerState(http);
    const book = item("incoming:b.cbz");
    http.on(`GET /v1/books/${book.id}`, { id: book.id, pages: [] });
    await picker.open(book);
    expect(picker.book?.id).toBe(book.id);
    picker.back();
    expect(picker.book).toBeNull();
    http.on(`GET /v1/books/${book.id}`, () => Promise.reject(refusal("unknown_book")));
    await picker.open(book);
    expect(picker.failure?.code).toBe("unknown_book");
  });
});
