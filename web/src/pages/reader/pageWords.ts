/** What the badge says of a page: short for the eye, whole for the details. */
import type { PageState } from "../../api/types";
import { i18n, type MessageKey } from "../../i18n/index.svelte";

export type Tone = "sharp" | "busy" | "plain" | "bad";
export interface PageWords {
  tone: Tone;
  text: string;
}

const PLAIN: Partial<Record<PageState["status"], MessageKey>> = {
  pending: "reader.pending",
  checking: "reader.checking",
  skipped: "reader.skipped",
  cancelled: "reader.original",
  original: "reader.original",
};

export function scaleText(scale: number): string {
  return `${Number(scale.toFixed(2))}×`;
}

/** `shown`: whether the sharp picture is really on the screen. */
export function wordsOf(state: PageState | undefined, enabled: boolean, shown: boolean): PageWords {
  if (!enabled) return { tone: "plain", text: i18n.t("reader.off") };
  if (!state) return { tone: "plain", text: i18n.t("reader.original") };
  if (state.status === "processing") return { tone: "busy", text: processing(state) };
  if (state.status === "completed" && shown) return { tone: "sharp", text: sharp(state) };
  if (state.status === "completed") return { tone: "busy", text: i18n.t("reader.arriving") };
  if (state.status === "failed") return { tone: "bad", text: i18n.t("reader.failed") };
  const tone = state.status === "pending" || state.status === "checking" ? "busy" : "plain";
  return { tone, text: i18n.t(PLAIN[state.status] ?? "reader.original") };
}

function processing(state: PageState): string {
  const percent = Math.floor(state.share * 100);
  return percent > 0 ? i18n.t("reader.processingShare", { percent }) : i18n.t("reader.processing");
}

function sharp(state: PageState): string {
  const parts = [state.scale ? scaleText(state.scale) : "", state.model ?? ""].filter(Boolean);
  return parts.join(" · ") || i18n.t("reader.sharp");
}

/** Name and value of everything there is to say. */
export function factsOf(state: PageState): { name: string; value: string }[] {
  const t = i18n.t;
  const size = (width: number | null, height: number | null) => (width && height ? `${width} × ${height}` : "");
  const before = size(state.originalWidth, state.originalHeight);
  const after = size(state.width, state.height);
  const facts: [MessageKey, string][] = [
    ["reader.factModel", state.model ?? ""],
    ["reader.factScale", state.model && state.scale ? scaleText(state.scale) : ""],
    ["reader.factNoise", state.model && state.noise !== null && state.noise !== undefined ? String(state.noise) : ""],
    ["reader.factSize", after ? `${before} → ${after}` : before],
    ["reader.factTime", state.seconds === null ? "" : i18n.seconds(state.seconds)],
    ["reader.factRule", state.rule?.name ?? ""],
    ["reader.factReason", state.reason ?? ""],
  ];
  return facts.filter(([, value]) => value !== "").map(([name, value]) => ({ name: t(name), value }));
}
