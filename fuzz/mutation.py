"""Inputs that are nearly right: a corpus, cut, joined and spoilt where formats are tender."""

import random
from collections.abc import Iterator
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
LONGEST = 4000  # bytes of an input
# What a parser of the format looks at, to be put where it is least expected.
TOKENS: dict[str, list[bytes]] = {
    "csv": [
        *(b"\n", b"\r\n", b"\r", b" ", b"\t", b"\n\n", b" \n", b"\0", b"\xff", b"\xc2\xa0"),
        *(b"1" * 25, b"1" * 130, b"0." + b"0" * 30 + b"7", b"\xef\xbb\xbf", "é".encode()),
        *b""", " "" - + . e E 0 -0 00 .5 5. 0.1 8.5 e22 e23 e-22 e-0 nan inf 1_0 0x1 =1+1 true
            1e100 1e101 1e-400 1e+0099 4.9e-324 2.2250738585072011e-308 1.7976931348623157
            9007199254740993 18446744073709551616 123456789012345678 [ ] { :""".split(),
    ],
    "table": [
        *(
            b"\n",
            b"\r\n",
            b"\r\r\n",
            b"\r",
            b" ",
            b"\t",
            b"\n\n",
            b",,\n",
            b"\0",
            b"\xff",
            b"\xc2\xa0",
        ),
        *("é".encode(), "–".encode(), "重".encode(), "€".encode(), b"sep=;\n", b"# x\n", b'"a\nb"'),
        *(
            b'"a""b"',
            b'"1,5"',
            b'""',
            b"1 234",
            b"\x1a",
            b"\xef\xbb\xbf",
            b"\xff\xfe",
            b"\x1f\x8b",
            b"1" * 25,
        ),
        *b"""; , | " NA nan N/A ? - + . e E 0 -0 00 007 .5 5. 0.1 1e5 1e101 1e-400
            TRUE FALSE True yes no Y N T F $5 5% 1,234 1.234,5 #DIV/0! -1.#IND
            <0.5 2024-01-01 10:00 0x1 1_0 inf x male Unnamed: 0,1
            20240101 9007199254740993 1.2345678901234567 1.234567890123456789e+01""".split(),
    ],
    "multipart": [
        *(b"\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b"\xff", b"\r\n\r\n", b"\r\n--the-boundary"),
        *("é".encode(), "\u202e".encode(), "😀".encode(), b"; filename=", b"; name="),
        *(b"Content-Type: text/csv\r\n", b"Content-Length: 5\r\n"),
        *b"""--the-boundary --the-boundary-- -- " ; : = \\ %22 %0D%0A % filename*=UTF-8''x charset=
            Content-Transfer-Encoding: =?utf-8?B?eA==?=""".split(),
    ],
    "json": [
        *(b" ", b"\n", b"\xff", b"\0", b"\x1f", b"\xef\xbb\xbf", b"9" * 5000, b"[[" * 600),
        *rb"""{ } [ ] , : " \ \u \ud800 \udc00 null true false NaN Infinity - 1e999 1E400 0.1 -0 01
            "job_id" "model_params" "init" "n_init" "tol" "tol":1, 99999999999999999999""".split(),
    ],
}


def corpus(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


def inputs(name: str, seed: int) -> Iterator[bytes]:
    """Endlessly many inputs for the format, the same ones for the same seed."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    pieces = corpus(name)
    while True:
        text = chance.choice(pieces)
        for _ in range(min(8, 1 + int(chance.expovariate(0.5)))):
            text = _mutated(text, pieces, TOKENS[name], chance)[:LONGEST]
        yield text


def _mutated(text: bytes, pieces: list[bytes], tokens: list[bytes], chance: random.Random) -> bytes:
    start = chance.randint(0, len(text))
    end = min(len(text), start + chance.choice((0, 0, 1, 1, 2, 5, 20, 200)))
    before, cut, after = text[:start], text[start:end], text[end:]
    match chance.randrange(7):
        case 0:
            return before + after
        case 1:
            return before + cut * chance.choice((2, 3, 20)) + after
        case 2:
            return before + bytes(chance.randrange(256) for _ in cut or b"1") + after
        case 3:
            other = chance.choice(pieces)
            return before + other[chance.randint(0, len(other)) :]
        case 4:
            lines = text.split(b"\n")
            chance.shuffle(lines)
            return b"\n".join(lines)
        case _:
            return before + chance.choice(tokens) + after
