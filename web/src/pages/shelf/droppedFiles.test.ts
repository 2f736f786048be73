import { describe, expect, it } from "vitest";
import { filesOfDrop, filesOfList, groupsOf } from "./droppedFiles";

function file(name: string): File {
  return new File(["x"], name);
}

function fileEntry(name: string): FileSystemFileEntry {
  return {
    name,
    isFile: true,
    isDirectory: false,
    file: (give: (file: File) => void) => give(file(name)),
  } as unknown as FileSystemFileEntry;
}

function folderEntry(name: string, children: FileSystemEntry[], pieces = 2): FileSystemDirectoryEntry {
  const createReader = () => {
    let from = 0;
    const readEntries = (give: (entries: FileSystemEntry[]) => void) => give(children.slice(from, (from += pieces)));
    return { readEntries };
  };
  return { name, isFile: false, isDirectory: true, createReader } as unknown as FileSystemDirectoryEntry;
}

function drop(...entries: FileSystemEntry[]): DataTransfer {
  return {
    items: entries.map((entry) => ({ kind: "file", webkitGetAsEntry: () => entry })),
    files: [],
  } as unknown as DataTransfer;
}

describe("filesOfDrop", () => {
  it("walks folders to their ends, in pieces as browsers give them", async () => {
    const pages = ["1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg"].map(fileEntry);
    const found = await filesOfDrop(
      drop(folderEntry("Vol", [folderEntry("ch 1", pages), fileEntry("ComicInfo.xml")]), fileEntry("b.cbz")),
    );
    expect(found.map((each) => each.path)).toEqual([
      "Vol/ch 1/1.jpg",
      "Vol/ch 1/2.jpg",
      "Vol/ch 1/3.jpg",
      "Vol/ch 1/4.jpg",
      "Vol/ch 1/5.jpg",
      "Vol/ComicInfo.xml",
      "b.cbz",
    ]);
  });

  it("leaves out what systems leave lying about", async () => {
    const found = await filesOfDrop(
      drop(folderEntry("Vol", [fileEntry(".DS_Store"), fileEntry("Thumbs.db"), fileEntry("1.jpg")])),
    );
    expect(found.map((each) => each.path)).toEqual(["Vol/1.jpg"]);
  });
});

describe("groupsOf", () => {
  it("keeps a folder's files together", () => {
    const names = ["Vol/1.jpg", "a.cbz", "Vol/2.jpg"];
    const groups = groupsOf(names.map((path) => ({ path, file: file(path) })));
    expect([...groups.keys()]).toEqual(["Vol", "a.cbz"]);
    expect(groups.get("Vol")).toHaveLength(2);
  });
});

describe("filesOfList", () => {
  it("keeps the folders of a chosen folder", () => {
    const chosen = file("1.jpg");
    Object.defineProperty(chosen, "webkitRelativePath", { value: "Vol/1.jpg" });
    expect(filesOfList([chosen, file("b.cbz")]).map((each) => each.path)).toEqual(["Vol/1.jpg", "b.cbz"]);
  });
});
