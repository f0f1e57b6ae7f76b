"""`kmeans` as it is typed: what it prints, writes and exits with."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest

from kmeans_client import Client, problems
from kmeans_client.command import profiles
from kmeans_client.command.cli import cli
from kmeans_client.command.failures import exit_code

from .command_line import ROWS, Kmeans, running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "points.csv").write_text(ROWS)
    return tmp_path


@pytest.fixture
def kmeans(folder: Path, url: str) -> Kmeans:
    return Kmeans(folder, url)


def test_a_file_alone_is_uploaded_looked_at_fitted_shown_and_written(kmeans: Kmeans) -> None:
    shown = kmeans("points.csv", "-k", "2")
    assert "Cluster 0: 12 rows, 60.0%" in shown
    assert "income" in shown
    assert "20 rows; clustered: age, income" in kmeans.said
    written = (kmeans.folder / "points.clusters.csv").read_text().splitlines()
    assert written[0].startswith("age,income,cluster,cluster_name,distance")
    report = (kmeans.folder / "points.report.html").read_text()
    assert report.startswith("<!doctype html>")
    assert [line.split(",")[2] for line in written[1:]] == ["0"] * 12 + ["1"] * 8


def test_a_program_gets_json_and_nothing_else(kmeans: Kmeans) -> None:
    answer = json.loads(kmeans("points.csv", "-k", "2", "--scaling", "standard", "--json"))
    assert [cluster["size"] for cluster in answer["clusters"]] == [12, 8]
    assert answer["job"]["preprocessing"]["scaling"] == "standard"
    assert answer["files"] == {"rows": "points.clusters.csv", "report": "points.report.html"}


def test_a_file_is_written_where_json_is_answered_too(kmeans: Kmeans) -> None:
    job = json.loads(kmeans("fit", "points.csv", "-k", "2", "--json", "-o", "labels.txt"))
    number = str(job["job_id"])
    labels = (kmeans.folder / "labels.txt").read_text()
    assert labels.split() == ["0"] * 12 + ["1"] * 8
    words = ["predict", number, "points.csv", "--json"]
    assert json.loads(kmeans(*words))["labels"] == [0] * 12 + [1] * 8
    answer = json.loads(kmeans(*words, "-o", "again.txt"))
    assert answer == {"job_id": job["job_id"], "labels": "again.txt"}
    assert (kmeans.folder / "again.txt").read_text() == labels
    assert json.loads(kmeans(*words, "--rows", "-o", "rows.csv"))["rows"] == "rows.csv"
    assert (kmeans.folder / "rows.csv").read_text().startswith("age,income,cluster")


def test_the_number_of_clusters_is_found(kmeans: Kmeans) -> None:
    assert "2 clusters; verdict:" in kmeans("points.csv")
    answer = json.loads(kmeans("points.csv", "-k", "2-4", "--json"))
    assert len(answer["clusters"]) == 2
    number = str(answer["job"]["job_id"])
    assert "calinski" in kmeans("choice", number)
    kmeans("points.csv", "-k", "3")
    kmeans("choice", number, code=5)


def test_how_sure_a_fit_is_and_what_moved_are_told(kmeans: Kmeans, folder: Path) -> None:
    kmeans("points.csv", "-k", "2")
    first = re.search(r"Job (\d+);", kmeans.said)[1]  # type: ignore[index]
    assert "of 50 starts and a search" in kmeans("audit", first)
    assert json.loads(kmeans("audit", first, "--json"))["agreement"] == 1
    (folder / "later.csv").write_text(ROWS.replace("21,11.5\n", "61,91.5\n", 1))
    kmeans("rename", first, "--cluster", "1=rich")
    job = json.loads(kmeans("fit", "later.csv", "-k", "2", "--align-to", first, "--json"))
    assert job["align_to"] == int(first)
    later = str(job["job_id"])
    shown = kmeans("compare", later, first)
    assert "19 of 20 rows have stayed" in shown
    assert "1 rich" in shown
    moved = json.loads(kmeans("compare", later, first, "--json"))
    assert moved["matrix"] == [[11, 1], [0, 8]]


def test_columns_of_texts_are_clustered_where_that_is_asked_for(
    kmeans: Kmeans, folder: Path
) -> None:
    (folder / "pets.csv").write_text("age,pet\n" + "1,cat\n2,cat\n9,dog\n8,dog\n" * 3)
    asked = ["-k", "2", "--columns", "all", "--categories", "one_hot", "--json"]
    job = json.loads(kmeans("fit", "pets.csv", *asked))
    assert job["preprocessing"]["categories"] == "one_hot"
    kmeans("fit", "pets.csv", "-k", "2", "--engine", "spark", code=6)
    assert "spark" in kmeans.said


def test_a_pipe_goes_in_and_rows_come_out(kmeans: Kmeans) -> None:
    assert kmeans("-", "-k", "2", given=ROWS).count("\n") == 21
    assert not (kmeans.folder / "stdin.clusters.csv").exists()


def test_a_job_goes_through_its_life(kmeans: Kmeans) -> None:
    labels = kmeans("fit", "points.csv", "-k", "2", "--algorithm", "lloyd", "--seed", "1").split()
    assert len(labels) == 20
    job = json.loads(kmeans("jobs", "--limit", "1", "--json"))[0]
    number = str(job["job_id"])
    assert kmeans("predict", number, "points.csv").split() == labels
    assert kmeans("predict", number, "points.csv", "--rows").startswith("age,income,cluster")
    assert kmeans("rows", number, "--outlier-quantile", "0.9").count("\n") == 21
    assert "income" in kmeans("columns", number)
    assert "income" in kmeans("report", number)
    kmeans("rename", number, "--name", "Guests", "--cluster", "0=young")
    assert "Guests" in kmeans("show", number)
    assert "young" in kmeans("show", number)
    kmeans("predict", number, "points.csv", "--engine", "spark", code=6)
    assert "spark" in kmeans.said
    kmeans("delete", number)
    assert "deleted" in (kmeans("show", number, code=5) + kmeans.said)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["points.csv", "-k", "many"], 2, "2-8"),
        (["points.csv", "-k", "2000"], 6, "n_clusters"),
        (["points.csv", "-k", "2", "--columns", "age", "--leave-out", "income"], 2, "exclude"),
        (["points.csv", "-k", "2", "--json", "-o", "-"], 2, "stdout"),
        (["points.csv", "-k", "2", "--json", "--plot"], 2, "stdout"),
        (["show", "0", "--json", "--plot"], 2, "stdout"),
        (["predict", "0", "points.csv", "--rows", "--json"], 2, "-o FILE"),
        (["predict", "0", "points.csv", "--rows", "--engine", "spark"], 2, "leave it out"),
        (["nothing.csv", "-k", "2"], 6, "There is no file"),
        (["show", "999999"], 5, "There is no job"),
        (["show", "x"], 2, "x"),
        (["rename", "0"], 2, "--name"),
        (["rename", "0", "--cluster", "a=b"], 2, "NUMBER=NAME"),
        (["unknown"], 2, "No such command"),
    ],
)
def test_what_is_wrong_is_told_with_an_exit_code_of_its_kind(
    kmeans: Kmeans, words: list[str], code: int, said: str
) -> None:
    assert kmeans(*words, code=code) == ""
    assert said in kmeans.said


def test_without_a_service_it_is_said_how_to_start_one(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        kmeans = Kmeans(folder, f"http://127.0.0.1:{taken.getsockname()[1]}")
        kmeans("points.csv", "-k", "2", code=3)
    assert "make run" in kmeans.said


def test_another_path_of_a_service_is_told_as_a_wrong_url(kmeans: Kmeans, url: str) -> None:
    kmeans("jobs", "--url", f"{url}/other", code=3)
    assert "The URL is another service's" in kmeans.said


def test_every_kind_of_problem_has_an_exit_code() -> None:
    kinds = [kind(422, {}) for kind in problems.leaves().values()]
    assert {exit_code(kind) for kind in kinds} == {3, 4, 5, 6, 7, 8}
    assert exit_code(problems.Problem(500, {})) == 8
    assert exit_code(FileNotFoundError()) == 1


def test_ctrl_c_leaves_no_fit_running(kmeans: Kmeans, client: Client) -> None:
    with kmeans.fitting_for_long("long.csv") as process:
        job = running(client, "long.csv")
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert "deleted" in said
    with pytest.raises(problems.JobGone):
        client.get_job(job)


def test_a_profile_keeps_where_and_who(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert profiles.chosen(None, None, None) == profiles.Service(profiles.LOCAL, None)
    profiles.keep("default", url="https://one/kmeans", token="km_1")
    profiles.keep("work", url="https://two/kmeans", token="km_2")
    assert profiles.file().stat().st_mode & 0o77 == 0
    assert profiles.chosen(None, None, "work") == profiles.Service("https://two/kmeans", "km_2")
    assert profiles.chosen(None, "km_3", None) == profiles.Service("https://one/kmeans", "km_3")
    # Another service is not sent the token of this one.
    assert profiles.chosen("https://three", None, None) == profiles.Service("https://three", None)
    monkeypatch.setenv("KMEANS_URL", "https://four")
    monkeypatch.setenv("KMEANS_TOKEN", "km_4")
    assert profiles.chosen(None, None, None) == profiles.Service("https://four", "km_4")
    profiles.keep("work", url=None, token=None)
    assert profiles.read("work") == {}


def test_the_token_is_asked_for_and_never_shown(kmeans: Kmeans) -> None:
    shown = kmeans("token", "--url", "https://one/kmeans", "--json", given="km_secret\n")
    assert json.loads(shown)["url"] == "https://one/kmeans"
    assert "km_secret" not in shown + kmeans.said
    assert profiles.read("default")["token"] == "km_secret"


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_has_help_that_names_its_options(kmeans: Kmeans, name: str) -> None:
    shown = kmeans(name, "--help")
    command = cli.commands[name]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.opts[0] in shown
    if name != "completion":
        assert "--json" in shown


def test_help_imports_neither_http_nor_arrays(kmeans: Kmeans) -> None:
    seen = (
        "import sys; from kmeans_client.command import run; run(['--help']);"
        "print({'httpx', 'rich', 'numpy', 'platformdirs'} & sys.modules.keys(), file=sys.stderr)"
    )
    kmeans.program = [sys.executable, "-c", seen]
    kmeans()
    assert kmeans.said.strip() == "set()"


# What each shell does with its script where somebody has typed so much and asks for more.
COMPLETES = {
    "bash": """
        COMP_WORDS=(kmeans co) COMP_CWORD=1
        _kmeans_completion kmeans
        echo "${COMPREPLY[@]}"
    """,
    "zsh": """
        compdef() { :; }
        _describe() { print -l ${(P)3}; }
        words=(kmeans co) CURRENT=2
        _kmeans_completion
    """,
    "fish": "complete --do-complete 'kmeans co'",
}


@pytest.mark.parametrize("shell", COMPLETES)
def test_a_shell_completes_commands(kmeans: Kmeans, shell: str) -> None:
    """As each does it, with its own script and the command on its path."""
    script = kmeans("completion", shell)
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not here")
    (kmeans.folder / "kmeans").write_text(
        f"#!{sys.executable}\nfrom kmeans_client.command import main\nmain()\n"
    )
    (kmeans.folder / "kmeans").chmod(0o755)
    done = subprocess.run(
        [shell, "-c", f"{script}\n{COMPLETES[shell]}"],
        env={**kmeans.environment, "PATH": f"{kmeans.folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert {"columns", "compare", "completion"} <= set(re.findall(r"\w+", done.stdout))


def test_a_picture_is_drawn(kmeans: Kmeans) -> None:
    kmeans.environment |= {"LINES": "24", "COLUMNS": "80"}
    shown = kmeans("points.csv", "-k", "2", "--plot")
    picture = shown[shown.index("┌") :]
    assert len(picture.splitlines()) < 24
    assert set("01") <= set(picture)
    assert "\x1b" not in shown  # no colors where no terminal is
    assert "income" in picture
