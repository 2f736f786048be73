import { describe, expect, it } from "vitest";

import en from "./en";
import { fill, languageOf } from "./index.svelte";
import zh from "./zh";

const texts = (all: Record<string, Record<string, string>>) =>
  Object.entries(all).flatMap(([namespace, own]) =>
    Object.entries(own).map(([name, text]) => [`${namespace}.${name}`, text] as const),
  );
const facts = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort();

describe("the two languages", () => {
  it("have the same sentences", () => {
    expect(
      texts(zh)
        .map(([key]) => key)
        .sort(),
    ).toEqual(
      texts(en)
        .map(([key]) => key)
        .sort(),
    );
  });

  it.each(texts(en))("%s has the same facts in both, and is no leftover of the other", (key, english) => {
    const chinese = new Map(texts(zh)).get(key) ?? "";
    expect(chinese.trim()).not.toBe("");
    expect(english.trim()).not.toBe("");
    if (!key.startsWith("settings.language_")) expect(english).not.toMatch(/[\u4e00-\u9fff]/); // a language names itself
    expect(facts(chinese)).toEqual(facts(english));
  });
});

describe("a sentence", () => {
  it("takes its facts, and keeps what it was not told", () => {
    expect(fill("{done} of {total}", "en", { done: 1, total: 1200 })).toBe("1 of 1,200");
    expect(fill("{who}?", "en", {})).toBe("{who}?");
  });

  it("has a form for one and a form for many", () => {
    expect(fill("{n} page|{n} pages", "en", { n: 1 })).toBe("1 page");
    expect(fill("{n} page|{n} pages", "en", { n: 3 })).toBe("3 pages");
    expect(fill("{n} 页", "zh", { n: 3 })).toBe("3 页");
  });
});

describe("the language", () => {
  it("is the chosen one, else the first that the browser asks for and that there is", () => {
    expect(languageOf("en", ["zh-CN"])).toBe("en");
    expect(languageOf("auto", ["fr", "zh-TW", "en"])).toBe("zh");
    expect(languageOf("auto", ["ja"])).toBe("en");
  });
});
