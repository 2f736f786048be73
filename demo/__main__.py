"""`make demo`: draw a volume, enlarge it with real weights, and show where, how long and how much better."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from demo.sheet import write_sheet
from demo.volume import write_sample
from enlarger.messages import current_language

OUT = Path(__file__).parent / "out"

_CHINESE = {
    "Drawing a cover, six pages and a photograph ...": "正在绘制一张封面、六页漫画和一张照片……",
    "Enlarging 2 times with real weights (fetched on the first run) ...": "正在用真实的权重放大到 2 倍（首次先下载）……",
    "Enlarged volume": "放大后的书",
    "Before and after": "前后对比",
    "Time for {pages} pages": "{pages} 页用时",
    "{seconds:.1f} s": "{seconds:.1f} 秒",
}


def say(text: str, **facts: object) -> str:
    """`text` in the reader's language."""
    return (_CHINESE.get(text, text) if current_language() == "zh" else text).format_map(facts)


def main() -> int:
    """The exit code: 0, or what the command ended with."""
    volume, enlarged, sheet = OUT / "sample.cbz", OUT / "enlarged" / "sample.cbz", OUT / "before-after.png"
    print(say("Drawing a cover, six pages and a photograph ..."), flush=True)
    write_sample(volume)
    print(say("Enlarging 2 times with real weights (fetched on the first run) ..."), flush=True)
    began = time.perf_counter()
    command = [sys.executable, "-m", "enlarger", "upscale", str(volume), "-o", str(enlarged), "--noise", "1"]
    code = subprocess.run(command, check=False).returncode
    if code != 0:
        return code
    seconds = time.perf_counter() - began
    write_sheet(volume, enlarged, sheet)
    _report({"Enlarged volume": enlarged, "Before and after": sheet}, seconds)
    return 0


def _report(results: dict[str, Path], seconds: float) -> None:
    print()
    for title, path in results.items():
        print(f"  {say(title)}: {path}")
    print(f"  {say('Time for {pages} pages', pages=8)}: {say('{seconds:.1f} s', seconds=seconds)}")


if __name__ == "__main__":
    sys.exit(main())
