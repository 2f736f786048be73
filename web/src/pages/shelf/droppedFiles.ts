/** What was dropped or chosen, folders walked through, each file with its path from there. */

export interface NamedFile {
  file: File;
  /** "Volume 1/003.jpg": folders and all. */
  path: string;
}

/** Everything in a drop. Has to be called within the event: afterwards the browser has forgotten it. */
export async function filesOfDrop(transfer: DataTransfer): Promise<NamedFile[]> {
  const entries = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
  if (entries.length === 0) return filesOfList(transfer.files);
  const found = await Promise.all(entries.map((entry) => walk(entry, "")));
  return found.flat().filter(isWanted);
}

/** Everything that was chosen in a file field. */
export function filesOfList(list: FileList | readonly File[]): NamedFile[] {
  return [...list].map((file) => ({ file, path: file.webkitRelativePath || file.name })).filter(isWanted);
}

/** Files grouped as they belong together: what is in one folder is one book, a single file stands for itself. */
export function groupsOf(files: readonly NamedFile[]): Map<string, NamedFile[]> {
  const groups = new Map<string, NamedFile[]>();
  for (const file of files) {
    const name = file.path.split("/")[0] ?? file.path;
    groups.set(name, [...(groups.get(name) ?? []), file]);
  }
  return groups;
}

async function walk(entry: FileSystemEntry, above: string): Promise<NamedFile[]> {
  const path = above === "" ? entry.name : `${above}/${entry.name}`;
  if (entry.isFile) return [{ file: await fileOf(entry as FileSystemFileEntry), path }];
  const children = await childrenOf((entry as FileSystemDirectoryEntry).createReader());
  return (await Promise.all(children.map((child) => walk(child, path)))).flat();
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => {
    entry.file(resolve, reject);
  });
}

async function childrenOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  const all: FileSystemEntry[] = [];
  for (;;) {
    // a reader gives a hundred at most, then the next hundred
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function isWanted(named: NamedFile): boolean {
  const name = named.path.split("/").at(-1) ?? "";
  return !name.startsWith(".") && name !== "Thumbs.db" && !named.path.startsWith("__MACOSX/");
}
