/** The sentences of the application in two languages; a language's are fetched when it is chosen. */
import type en from "./en";

export type Messages = typeof en;
type Namespace = keyof Messages;
export type MessageKey = { [N in Namespace]: `${N}.${keyof Messages[N] & string}` }[Namespace];
export type Parameters = Readonly<Record<string, string | number>>;
export type Language = "en" | "zh";
export type LanguageChoice = Language | "auto";
type Texts = Readonly<Record<string, Readonly<Record<string, string>>>>;

const LOADERS: Record<Language, () => Promise<{ default: Texts }>> = {
  en: () => import("./en"),
  zh: () => import("./zh"),
};

/** The first of the browser's languages that there is; English otherwise. */
export function languageOf(choice: LanguageChoice, wishes: readonly string[] = navigator.languages): Language {
  if (choice !== "auto") return choice;
  const known = wishes.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => tag === "zh" || tag === "en");
  return known === "zh" ? "zh" : "en";
}

/** "one page|{n} pages" by n's plural form; a language without plurals writes no bar. */
export function fill(text: string, language: Language, parameters: Parameters): string {
  const [one = "", many] = text.split("|");
  const n = Number(parameters["n"] ?? 0);
  const form = many !== undefined && new Intl.PluralRules(language).select(n) !== "one" ? many : one;
  return form.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = parameters[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? value.toLocaleString(language === "zh" ? "zh-CN" : "en") : value;
  });
}

class I18n {
  language = $state<Language>("en");
  #texts = $state.raw<Texts>({});

  /** Fetch a language's sentences and speak it from now on. */
  async use(language: Language): Promise<void> {
    this.#texts = (await LOADERS[language]()).default;
    this.language = language;
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  }

  t = (key: MessageKey, parameters: Parameters = {}): string => {
    const [namespace = "", name = ""] = key.split(".");
    const text = this.#texts[namespace]?.[name];
    return text === undefined ? key : fill(text, this.language, parameters);
  };

  /** Of a text given in both languages by the server. */
  pick(texts: Readonly<Record<string, string>>): string {
    return texts[this.language] ?? texts["en"] ?? Object.values(texts)[0] ?? "";
  }

  bytes(count: number): string {
    const units = ["B", "kB", "MB", "GB", "TB"];
    const step = count < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
    const value = count / 1000 ** step;
    return `${value.toLocaleString(this.#tag, { maximumFractionDigits: step && value < 10 ? 1 : 0 })} ${units[step]}`;
  }

  /** "0.4 s", "12 s", "3 min 20 s" */
  seconds(count: number): string {
    if (count < 0.1) return "< 0.1 s";
    if (count < 60) return `${count.toLocaleString(this.#tag, { maximumFractionDigits: count < 10 ? 1 : 0 })} s`;
    const minutes = Math.floor(count / 60);
    const rest = Math.round(count % 60);
    if (minutes < 60) return rest ? `${minutes} min ${rest} s` : `${minutes} min`;
    return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  }

  /** A moment in Unix seconds, short. */
  when(at: number): string {
    const then = new Date(at * 1000);
    const today = then.toDateString() === new Date().toDateString();
    return then.toLocaleString(this.#tag, today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
  }

  get #tag(): string {
    return this.language === "zh" ? "zh-CN" : "en";
  }
}

export const i18n = new I18n();
export const t = i18n.t;
