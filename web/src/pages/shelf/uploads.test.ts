import { describe, expect, it } from "vitest";
import { later, refusal, settled } from "../fakes";
import type { Item } from "../wire";
import type { NamedFile } from "./droppedFiles";
import { item } from "./samples";
import { Uploads, type SendForm } from "./uploads.svelte";

interface Sending {
  names: string[];
  onSent: (bytes: number) => void;
  resolve: (answer: { items: Item[] }) => void;
  reject: (error: unknown) => void;
  signal: AbortSignal;
}

function transfers(): { send: SendForm; sendings: Sending[] } {
  const sendings: Sending[] = [];
  const send: SendForm = (form, onSent, signal) => {
    const names = form.getAll("files").map((file) => (file as File).name);
    const { promise, resolve, reject } = later<{ items: Item[] }>();
    signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    sendings.push({ names, onSent, resolve, reject, signal });
    return promise;
  };
  return { send, sendings };
}

function files(...paths: string[]): NamedFile[] {
  return paths.map((path) => ({ path, file: new File(["12345"], path) }));
}

const both = new Map([
  ["Vol", files("Vol/1.jpg", "Vol/2.jpg")],
  ["b.cbz", files("b.cbz")],
]);

describe("Uploads", () => {
  it("sends one after the other, each folder with its names", async () => {
    const { send, sendings } = transfers();
    const done: string[] = [];
    const uploads = new Uploads(send, (upload) => done.push(upload.name));
    uploads.add(both);
    await settled();
    expect(sendings.map((sending) => sending.names)).toEqual([["Vol/1.jpg", "Vol/2.jpg"]]);
    expect(uploads.list.map((upload) => upload.state)).toEqual(["sending", "waiting"]);
    sendings[0]?.resolve({ items: [item("incoming:Vol")] });
    await settled();
    expect(sendings).toHaveLength(2);
    sendings[1]?.resolve({ items: [] });
    await settled();
    expect(done).toEqual(["Vol", "b.cbz"]);
    expect(uploads.isBusy).toBe(false);
    uploads.clear();
    expect(uploads.list).toEqual([]);
  });

  it("tells how much is out, and when only the server is at work", async () => {
    const { send, sendings } = transfers();
    const uploads = new Uploads(send);
    uploads.add(new Map([["a", files("a/1", "a/2")]]));
    await settled();
    sendings[0]?.onSent(5);
    expect(uploads.list[0]?.share).toBe(0.5);
    sendings[0]?.onSent(12); // the form itself takes bytes too
    expect(uploads.list[0]?.share).toBe(1);
    expect(uploads.list[0]?.state).toBe("storing");
  });

  it("cancels what is on its way, and goes on with the next", async () => {
    const { send, sendings } = transfers();
    const uploads = new Uploads(send);
    uploads.add(both);
    await settled();
    uploads.list[0]?.cancel();
    await settled();
    expect(sendings[0]?.signal.aborted).toBe(true);
    expect(uploads.list.map((upload) => upload.state)).toEqual(["cancelled", "sending"]);
  });

  it("keeps a failure with its remedy until it is tried again", async () => {
    const { send, sendings } = transfers();
    const uploads = new Uploads(send);
    uploads.add(new Map([["a", files("a")]]));
    await settled();
    sendings[0]?.reject(refusal("too_large", "Too large.", "Send less."));
    await settled();
    const upload = uploads.list[0];
    if (upload === undefined) throw new Error("it is gone");
    expect(upload.failure).toMatchObject({ message: "Too large.", remedy: "Send less." });
    uploads.retry(upload);
    await settled();
    expect(upload.state).toBe("sending");
    expect(upload.failure).toBeNull();
    sendings[1]?.resolve({ items: [] });
    await settled();
    expect(upload.state).toBe("done");
  });

  it("ignores what comes of a transfer that was given up for another", async () => {
    const sendings: Omit<Sending, "names" | "signal">[] = [];
    const deaf: SendForm = (_form, onSent) => {
      const { promise, resolve, reject } = later<{ items: Item[] }>();
      sendings.push({ onSent, resolve, reject });
      return promise;
    };
    const uploads = new Uploads(deaf);
    uploads.add(new Map([["a", files("a/1", "a/2")]]));
    await settled();
    const upload = uploads.list[0];
    if (upload === undefined) throw new Error("it is gone");
    upload.cancel();
    uploads.retry(upload);
    sendings[0]?.onSent(5);
    expect([upload.state, upload.sent]).toEqual(["waiting", 0]);
    sendings[0]?.reject(refusal("storage"));
    await settled();
    expect([upload.state, upload.failure, sendings.length]).toEqual(["sending", null, 2]);
    sendings[1]?.resolve({ items: [item("incoming:a")] });
    await settled();
    expect([upload.state, upload.items.length]).toEqual(["done", 1]);
  });

  it("drops one from the list, and with it its transfer", async () => {
    const { send, sendings } = transfers();
    const uploads = new Uploads(send);
    uploads.add(both);
    await settled();
    if (uploads.list[0]) uploads.dismiss(uploads.list[0]);
    expect(sendings[0]?.signal.aborted).toBe(true);
    expect(uploads.list.map((upload) => upload.name)).toEqual(["b.cbz"]);
  });
});
