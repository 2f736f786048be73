/** Which key does what while reading. */
import type { MessageKey } from "../../i18n/index.svelte";
import type { Direction } from "../../reading/spreads";

export type Command =
  | "next"
  | "previous"
  | "first"
  | "last"
  | "down"
  | "up"
  | "zoomIn"
  | "zoomOut"
  | "zoomReset"
  | "rotate"
  | "fullscreen"
  | "mode"
  | "direction"
  | "fit"
  | "compare"
  | "hold"
  | "toggle"
  | "strip"
  | "chrome"
  | "help"
  | "leave";

const KEYS: Readonly<Record<string, Command>> = {
  PageDown: "next",
  PageUp: "previous",
  Home: "first",
  End: "last",
  ArrowDown: "down",
  ArrowUp: "up",
  "+": "zoomIn",
  "=": "zoomIn",
  "-": "zoomOut",
  "0": "zoomReset",
  r: "rotate",
  f: "fullscreen",
  m: "mode",
  d: "direction",
  w: "fit",
  b: "compare",
  o: "hold",
  s: "toggle",
  t: "strip",
  h: "chrome",
  "?": "help",
  Escape: "leave",
};

/** The command of a key, or null; an arrow means what lies on its side. */
export function commandOf(event: KeyboardEvent, direction: Direction): Command | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (event.key === " ") return event.shiftKey ? "previous" : "next";
  if (event.key === "ArrowLeft") return direction === "rtl" ? "next" : "previous";
  if (event.key === "ArrowRight") return direction === "rtl" ? "previous" : "next";
  return KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key] ?? null;
}

/** What the help shows. */
export const SHORTCUTS: readonly { keys: readonly string[]; what: MessageKey }[] = [
  { keys: ["←", "→"], what: "reader.helpTurn" },
  { keys: ["Space", "PgDn"], what: "reader.helpNext" },
  { keys: ["Shift Space", "PgUp"], what: "reader.helpPrevious" },
  { keys: ["Home", "End"], what: "reader.helpEnds" },
  { keys: ["↑", "↓"], what: "reader.helpScroll" },
  { keys: ["+", "−", "0"], what: "reader.helpZoom" },
  { keys: ["S"], what: "reader.helpToggle" },
  { keys: ["O"], what: "reader.helpHold" },
  { keys: ["B"], what: "reader.helpCompare" },
  { keys: ["M"], what: "reader.helpMode" },
  { keys: ["D"], what: "reader.helpDirection" },
  { keys: ["W"], what: "reader.helpFit" },
  { keys: ["R"], what: "reader.helpRotate" },
  { keys: ["T"], what: "reader.helpStrip" },
  { keys: ["H"], what: "reader.helpChrome" },
  { keys: ["F"], what: "reader.helpFullscreen" },
  { keys: ["?"], what: "reader.helpHelp" },
  { keys: ["Esc"], what: "reader.helpLeave" },
];
