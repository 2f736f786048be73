"""Rules to begin with: what people who read manga and look at photographs mostly want."""

from __future__ import annotations

from dataclasses import dataclass

from enlarger.messages import Message, msg
from enlarger.reader.rules import Match, Rule, Treatment


@dataclass(frozen=True)
class Preset:
    """A rule with what it is for, in words."""

    title: Message
    description: Message
    rule: Rule


def presets() -> tuple[Preset, ...]:
    """All of them, in the order they are shown. Their rules are enabled and have names of their own."""
    return (
        Preset(
            msg("Leave large pages alone"),
            msg("Pages of 2000 pixels and more in width and height are sharp enough on any screen."),
            Rule("large-pages", "Large pages", priority=10, match=Match(min_width=2000, min_height=2000), skip=True),
        ),
        Preset(
            msg("Small pages four times as large"),
            msg("Old scans below 800 pixels in width: 4x, with noise reduction."),
            Rule(
                "small-pages",
                "Small pages",
                priority=20,
                match=Match(max_width=800),
                recipe=Treatment("realcugan-se", 4.0, 3),
            ),
        ),
        Preset(
            msg("Scanned manga"),
            msg("JPEG pages up to 4 megapixels: 2x, and the compression's noise taken out."),
            Rule(
                "scans",
                "Scanned manga",
                priority=30,
                match=Match(max_megapixels=4.0, file_types=("jpg",)),
                recipe=Treatment("waifu2x-cunet", 2.0, 1),
            ),
        ),
        Preset(
            msg("Photographs"),
            msg("Books whose path says “photo”: a model made for photographs."),
            Rule(
                "photographs",
                "Photographs",
                priority=40,
                match=Match(book_include=r"(?i)photo|摄影|写真|照片"),
                recipe=Treatment("waifu2x-upconv7-photo", 2.0),
            ),
        ),
        Preset(
            msg("Wide double pages, quickly"),
            msg("Pages wider than high: a light model, since they take twice as long."),
            Rule(
                "double-pages",
                "Double pages",
                priority=50,
                match=Match(min_aspect_ratio=1.2),
                recipe=Treatment("waifu2x-upconv7-anime", 2.0),
            ),
        ),
        Preset(
            msg("Everything else"),
            msg("Put this last: what no other rule takes gets waifu2x at 2x."),
            Rule("all-pages", "All other pages", priority=1000),
        ),
    )
