"""Chinese numerals."""

from __future__ import annotations

import pytest

from bayling_lite.numerals import chinese_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("零", 0),
        ("十", 10),
        ("十二", 12),
        ("二十", 20),
        ("廿一", 21),
        ("一百零五", 105),
        ("两千〇三", 2003),
        ("三万二千一百", 32_100),
        ("十萬", 100_000),
        ("一亿二千万", 120_000_000),
        ("一万亿", 10**12),
        ("三亿零五", 300_000_005),
        ("", None),
        ("三个", None),
        ("abc", None),
    ],
)
def test_chinese_numerals(text: str, number: int | None) -> None:
    assert chinese_number(text) == number
