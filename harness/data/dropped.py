"""Tables that somebody gives the web page, each with clusters that anybody sees."""

from itertools import cycle, islice

# Three clusters, an identifier, a text, and a missing cell.
ROWS = [
    f"{100 + i},{'ab'[i % 2]},{x + i % 7},{'' if i == 4 else y + i % 11}"
    for i, (x, y) in enumerate([(0, 0), (50, 45), (0, 90)] * 6)
]
TABLE = "\n".join(["id,letter,width,height", *ROWS, ""])
CENTERS = [(0, 0), (500, 0), (0, 900)]


def numbers(n: int, note: str = "") -> str:
    """So many rows, of which every third belongs together; the note stands in each."""
    rows = (
        f"{x + i % 7 / 10:.1f},{y + i % 11 / 10:.1f},0.{i % 5}25,{note}\n"
        for i, (x, y) in enumerate(islice(cycle(CENTERS), n))
    )
    return "width,height,depth,note\n" + "".join(rows)
