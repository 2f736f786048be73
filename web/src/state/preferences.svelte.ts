/** What this browser remembers: language, theme, and how books are shown. */
import { live } from "./live.svelte";
import { i18n, languageOf, type LanguageChoice } from "../i18n/index.svelte";

export type Theme = "auto" | "light" | "dark";
const KEY = "enlarger.preferences";

interface Kept {
  language: LanguageChoice;
  theme: Theme;
  reader: Readonly<Record<string, unknown>>;
}

function read(): Partial<Kept> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Kept>;
  } catch {
    return {}; // storage is forbidden, or holds something foreign
  }
}

export class Preferences {
  language = $state<LanguageChoice>("auto");
  theme = $state<Theme>("auto");
  /** How the reader shows books: what `ReaderOptions` of readerStore keeps. */
  reader = $state.raw<Readonly<Record<string, unknown>>>({});
  #dark = matchMedia("(prefers-color-scheme: dark)");
  #systemDark = $state(this.#dark.matches);

  constructor() {
    const kept = read();
    this.language = kept.language ?? "auto";
    this.theme = kept.theme ?? "auto";
    this.reader = kept.reader ?? {};
    this.#dark.addEventListener("change", (event) => (this.#systemDark = event.matches));
  }

  get isDark(): boolean {
    return this.theme === "dark" || (this.theme === "auto" && this.#systemDark);
  }

  async setLanguage(language: LanguageChoice): Promise<void> {
    await i18n.use(languageOf(language));
    this.language = language;
    this.#keep();
    live.restart();
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.#keep();
  }

  setReader(reader: Readonly<Record<string, unknown>>): void {
    this.reader = reader;
    this.#keep();
  }

  #keep(): void {
    const kept: Kept = { language: this.language, theme: this.theme, reader: this.reader };
    try {
      localStorage.setItem(KEY, JSON.stringify(kept));
    } catch {
      // private windows may forbid it: the choice then lasts as long as the page
    }
  }
}

export const preferences = new Preferences();
