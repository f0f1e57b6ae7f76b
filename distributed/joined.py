"""The text of a table's files as that of one: what the first one begins with, and the rows of all.

What stands before the rows of another file, its header, a mark, comments, is left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby, islice

from distributed import parquet
from distributed.check import Checked
from distributed.given import Given
from distributed.reading import Written
from distributed.rows import Group
from kmeans_service.tables.bytes_in import is_little, pieces, unpacked
from kmeans_service.tables.csv_lines import BLOCK_BYTES, pieces_from
from kmeans_service.tables.table import load_head
from kmeans_service.tables.woven import Behind, Part, woven_part


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """The files, and what is put behind the header.

    line_break   of the first one, for the last line of another one that has none
    is_little    of UTF-16, how the first one is written, and all of them together
    """

    written: Written
    head: Sequence[Behind]
    line_break: bytes
    is_little: bool

    @classmethod
    def of(cls, given: Given, written: Written, head: Sequence[Behind]) -> "Joined":
        dialect, most = written.dialect, given.limits.line_length
        read = partial(given.from_begin, 0)
        size = min(BLOCK_BYTES, most)
        text, _ = load_head(pieces(read, size, dialect.encoding, given.most_bytes), most)
        line, _, _ = text.partition(b"\n")
        is_crlf = line.endswith(b"\r") and not dialect.old_mac
        line_break = b"\r" if dialect.old_mac else b"\r\n" if is_crlf else b"\n"
        raw = unpacked(pieces_from(read(), size), size, given.most_bytes)
        return cls(written, head, line_break, is_little(b"".join(islice(raw, 2))))

    def beginning(self) -> Iterator[bytes]:
        """What stands before the first file's rows, unless it is read in one piece."""
        written, begin = self.written, self.written.begins[0]
        opened = written.source.opened(0)
        if written.is_parquet:
            raw = parquet.header(opened, written.sizes[0])
        elif begin and not written.wholes[0]:
            raw = pieces_from(opened(0, begin), BLOCK_BYTES)
        else:
            return iter(())
        part = Part(line_break=self.line_break if begin == written.sizes[0] else None)
        return woven_part(raw, written.dialect, self.head, part)

    def rows(self, group: Group, behind: Iterator[Behind], *, is_last: bool) -> Iterator[bytes]:
        """The rows of a group, of as many files as it is of."""
        handed = Handed(behind)
        files = [tuple(spans) for _, spans in groupby(group, lambda each: each.span.file)]
        for number, spans in enumerate(files, start=1):
            n_rows = sum(each.n_rows for each in spans)
            line_break = None if is_last and number == len(files) else self.line_break
            yield from self._of_file(spans, handed.of(n_rows), line_break)

    def _of_file(
        self, spans: Group, behind: Iterator[Behind], line_break: bytes | None
    ) -> Iterator[bytes]:
        written, first, last = self.written, spans[0], spans[-1]
        file = first.span.file
        if not written.wholes[file]:
            part = Part(first.line, line_break=line_break if last.span.is_last else None)
        elif written.is_parquet:
            part = Part(first.line)
        elif file == 0:
            part, behind = Part(line_break=line_break), chain(self.head, behind)
        else:
            part = Part(1, written.lines[file], line_break, self.is_little)
        return woven_part(self._raw(spans), written.dialect, behind, part)

    def _raw(self, spans: Group) -> Iterator[bytes]:
        written, first, last = self.written, spans[0].span, spans[-1].span
        opened, size = written.source.opened(first.file), written.sizes[first.file]
        if written.is_parquet:
            groups = (parquet.text_of_group(opened, size, each.span.begin) for each in spans)
            return chain.from_iterable(groups)
        raw = pieces_from(opened(first.begin, last.end), BLOCK_BYTES)
        whole = written.wholes[first.file]
        return unpacked(raw, BLOCK_BYTES, written.most_bytes) if whole else raw


class Handed:
    """What is put behind rows, handed out for so many of them at a time."""

    def __init__(self, behind: Iterator[Behind]) -> None:
        self._behind = behind
        self._left: Behind | None = None

    def of(self, n_rows: int) -> Iterator[Behind]:
        left = n_rows
        while left:
            ends, cells = self._left or next(self._behind)
            self._left = (ends[left:], cells[left:]) if len(ends) > left else None
            some = ends[:left], cells[:left]
            left -= len(some[0])
            yield some


def least_bytes(written: Written, checked: Checked) -> int:
    """That the text of a span has at least, as its file has it, unpacked."""
    if not written.wholes[checked.span.file]:
        return checked.span.end - checked.span.begin
    return checked.n_bytes if written.dialect.encoding == "utf-8" else checked.n_bytes // 2
