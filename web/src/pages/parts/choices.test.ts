import { describe, expect, it } from "vitest";
import { fitting, noiseLevel, noiseName, switchedTo } from "./choices";
import { model } from "./samples";

describe("choices", () => {
  it("names noise levels both ways", () => {
    for (const level of [null, -1, 0, 1, 2, 3]) expect(noiseLevel(noiseName(level))).toBe(level);
    expect(noiseName(null)).toBe("none");
    expect(noiseName(-1)).toBe("conservative");
  });

  it("keeps what a model has, and takes the nearest of what it lacks", () => {
    const pro = model("pro", { scales: [2, 3], noises: ["none", "conservative", "3"] });
    expect(fitting(pro, 3, "3")).toEqual({ scale: 3, noise: "3" });
    expect(fitting(pro, 4, "1")).toEqual({ scale: 3, noise: "none" });
    expect(fitting(model("odd", { scales: [], noises: [] }), 2, "1")).toEqual({ scale: 2, noise: "none" });
  });

  it("sets with another model the scale and the noise level that it has", () => {
    const pro = model("pro", { scales: [2, 3], noises: ["none", "conservative", "3"] });
    expect(switchedTo(pro, { scale: 4, noise: 1 })).toEqual({ model: "pro", scale: 3, noise: null });
    expect(switchedTo(pro, { scale: 2, noise: -1 })).toEqual({ model: "pro", scale: 2, noise: -1 });
  });
});
