/** What a model can do, and the nearest of it to what was wanted. Noise levels are names here, numbers in rules. */

import type { Model, ReaderView } from "../wire";

type Card = Pick<Model, "name" | "scales" | "noises">;

const NONE = "none";
const CONSERVATIVE = "conservative";

export function noiseName(level: number | string | null): string {
  if (level === null) return NONE;
  return level === -1 ? CONSERVATIVE : String(level);
}

/** null: left alone; -1: conservative. */
export function noiseLevel(name: string): number | null {
  if (name === NONE) return null;
  return name === CONSERVATIVE ? -1 : Number(name);
}

/** The scale and noise level that a model has, nearest to those wanted. A scale in between is made from a larger one. */
export function fitting(model: Card, scale: number, noise: string): { scale: number; noise: string } {
  const nearest = model.scales.toSorted((one, other) => Math.abs(one - scale) - Math.abs(other - scale))[0];
  return {
    scale: model.scales.includes(scale) ? scale : (nearest ?? scale),
    noise: model.noises.includes(noise) ? noise : (model.noises[0] ?? NONE),
  };
}

/** What is set with another model: a scale or noise level that it lacks becomes one that it has. */
export function switchedTo(
  model: Card,
  now: Pick<ReaderView, "scale" | "noise">,
): { model: string; scale: number; noise: number | null } {
  const { scale, noise } = fitting(model, now.scale, noiseName(now.noise));
  return { model: model.name, scale, noise: noiseLevel(noise) };
}
