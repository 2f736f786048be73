import { describe, expect, it } from "vitest";

import { ImagePool, type Decoded } from "./imagePool.svelte";

/** Decodes when it is told to. */
class Decoder {
  asked: string[] = [];
  #waiting = new Map<string, { resolve: (decoded: Decoded) => void; reject: (error: Error) => void }>();

  decode = (url: string): Promise<Decoded> => {
    this.asked.push(url);
    return new Promise((resolve, reject) => this.#waiting.set(url, { resolve, reject }));
  };

  async arrive(url: string, width = 100, height = 100): Promise<void> {
    this.#waiting.get(url)?.resolve({ width, height, element: url });
    await Promise.resolve();
  }

  async fail(url: string): Promise<void> {
    this.#waiting.get(url)?.reject(new Error("404"));
    await Promise.resolve();
  }
}

function pool(limitBytes = 1e9): { pool: ImagePool; decoder: Decoder } {
  const decoder = new Decoder();
  return { pool: new ImagePool((page) => `/pages/${page}`, decoder.decode, limitBytes), decoder };
}

describe("the image pool", () => {
  it("shows the original until the sharp picture is decoded", async () => {
    const { pool: images, decoder } = pool();
    const set = images.setUpscaled(3, "/renders/a");
    expect(images.getDisplayUrl(3)).toBe("/pages/3");
    await decoder.arrive("/renders/a");
    expect(await set).toBe(true);
    expect(images.getDisplayUrl(3)).toBe("/renders/a");
    expect(images.get(3)).toEqual({ page: 3, original: "/pages/3", upscaled: "/renders/a", display: "/renders/a" });
  });

  it("keeps the original when the sharp picture is gone", async () => {
    const { pool: images, decoder } = pool();
    const set = images.setUpscaled(3, "/renders/a");
    await decoder.fail("/renders/a");
    expect(await set).toBe(false);
    expect(images.getDisplayUrl(3)).toBe("/pages/3");
  });

  it("shows the later of two sharp pictures, whichever arrives last", async () => {
    const { pool: images, decoder } = pool();
    const first = images.setUpscaled(3, "/renders/old");
    const second = images.setUpscaled(3, "/renders/new");
    await decoder.arrive("/renders/new");
    await decoder.arrive("/renders/old");
    expect([await first, await second]).toEqual([false, true]);
    expect(images.getDisplayUrl(3)).toBe("/renders/new");
  });

  it("does not let a picture appear that was cleared while it was on its way", async () => {
    const { pool: images, decoder } = pool();
    const one = images.setUpscaled(1, "/renders/1");
    const two = images.setUpscaled(2, "/renders/2");
    images.clearUpscaled(1);
    images.clearAllUpscaled();
    await decoder.arrive("/renders/1");
    await decoder.arrive("/renders/2");
    expect([await one, await two]).toEqual([false, false]);
    expect([images.isSharp(1), images.isSharp(2)]).toEqual([false, false]);
  });

  it("goes back to originals, of one page or all", async () => {
    const { pool: images, decoder } = pool();
    for (const page of [1, 2]) {
      const set = images.setUpscaled(page, `/renders/${page}`);
      await decoder.arrive(`/renders/${page}`);
      await set;
    }
    images.clearUpscaled(1);
    expect([images.isSharp(1), images.isSharp(2)]).toEqual([false, true]);
    images.clearAllUpscaled();
    expect(images.isSharp(2)).toBe(false);
  });

  it("holds no more decoded pictures than it may, the ones used last", async () => {
    const decoder: string[] = [];
    const images = new ImagePool(
      (page) => `/pages/${page}`,
      async (url) => {
        decoder.push(url);
        return { width: 100, height: 100, element: url };
      },
      3 * 40_000,
    );
    await images.preload([0, 1, 2]);
    await images.preload([0]); // used again: page 1 is the oldest now
    await images.preload([3]);
    expect(images.stats).toEqual({ count: 3, bytes: 120_000 });
    decoder.length = 0;
    await images.preload([0, 2, 3, 1]);
    expect(decoder).toEqual(["/pages/1"]);
  });

  it("asks once for what is asked for twice at a time, and takes what will be shown", async () => {
    const { pool: images, decoder } = pool();
    const set = images.setUpscaled(1, "/renders/1");
    await decoder.arrive("/renders/1");
    await set;
    const both = [images.preload([2]), images.preload([2]), images.preload([1])];
    await decoder.arrive("/pages/2");
    await Promise.all(both);
    expect(decoder.asked).toEqual(["/renders/1", "/pages/2"]);
  });

  it("gives up what is left of a preload when the reader is elsewhere, or the book is left", async () => {
    const { pool: images, decoder } = pool();
    const older = images.preload([1, 2, 3]);
    const newer = images.preload([8, 9]);
    await decoder.arrive("/pages/1");
    await older;
    expect(decoder.asked).toEqual(["/pages/1", "/pages/8"]);
    images.clear();
    await decoder.arrive("/pages/8");
    await newer;
    expect(decoder.asked).toEqual(["/pages/1", "/pages/8"]);
  });

  it("does not go on showing a sharp picture that another is to replace, even if that one is gone", async () => {
    const { pool: images, decoder } = pool();
    const old = images.setUpscaled(3, "/renders/old");
    await decoder.arrive("/renders/old");
    await old;
    const set = images.setUpscaled(3, "/renders/new");
    expect(images.getDisplayUrl(3)).toBe("/pages/3");
    await decoder.fail("/renders/new");
    expect([await set, images.getDisplayUrl(3)]).toEqual([false, "/pages/3"]);
  });

  it("holds even a picture that is larger than it may hold, alone", async () => {
    const images = new ImagePool(String, async () => ({ width: 1000, height: 1000, element: 0 }), 10);
    await images.preload([1, 2]);
    expect(images.stats.count).toBe(1);
  });
});
