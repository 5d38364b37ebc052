"""What holds on Windows and macOS, tried on Linux: types and names as they are there, text files
that every system reads alike, and the commands where Python lacks what it lacks there.
"""

import ast
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import lives, until
from typeshed import missing

from dojo import ROOT, console, files
from dojo.bootstrap import entering
from dojo.check import running
from dojo.check.watch import terminal
from dojo.processes.channel import PipeChannel, TooLarge
from dojo.validate import parts

linux = pytest.mark.skipif(sys.platform != "linux", reason="changes what Linux has")
SYSTEMS = ("darwin", "win32")
FOLDERS = ("katas", "reference", "tests", "tools/bench", "tools/dojo")
FILES = [path for name in FOLDERS for path in (ROOT / name).rglob("*.py")]
FILES += [ROOT / "conftest.py", *(ROOT / "tools" / name for name in ("check", "grade", "validate"))]
MYPY_LOOKS_AT = (ROOT / "tools" / "dojo", ROOT / "tools" / "bench")


def as_on(system: str, folder: Path) -> dict[str, str]:
    """The environment for a process that is to believe that it runs on this system."""
    told = {"platform": system, "missing": {m: sorted(n) for m, n in missing(system).items()}}
    file = folder / "system.json"
    file.write_text(json.dumps(told), encoding="utf-8")
    changed = {"OTHER_SYSTEM": str(file), "PYTHONPATH": str(ROOT / "tools/tests/other_system")}
    return os.environ | changed


# --- names


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_list_of_names_knows_what_is_lacking(system):
    lacking = missing(system)
    assert {"memfd_create", "sched_getaffinity", "O_PATH"} <= lacking["os"]
    on_windows = {"fork", "getuid", "killpg", "WNOHANG", "sysconf"} <= lacking["os"]
    assert on_windows == ("*" in lacking.get("fcntl", ())) == (system == "win32")
    assert not {"getpid", "replace", "kill", "dup2"} & lacking["os"]


def lacking_names(source: str, system: str) -> Iterator[str]:
    """What a text takes from Python's modules and a system does not have."""
    lacking = missing(system)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if "*" in lacking.get(a.name, ()))
        elif isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names} | {"*"}
            yield from sorted(names & lacking.get(node.module, frozenset()))
        elif isinstance(node, ast.Attribute) and (
            node.attr in lacking.get(ast.unparse(node.value), ())
        ):
            yield ast.unparse(node)


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_mypy_does_not_look_at_uses_no_name_that_a_system_lacks(system):
    found = {
        path.relative_to(ROOT).as_posix(): names
        for path in FILES
        if not any(path.is_relative_to(folder) for folder in MYPY_LOOKS_AT)
        and (names := list(lacking_names(path.read_text(encoding="utf-8"), system)))
    }
    assert found == {}


def test_the_tools_tests_can_be_collected_where_a_module_is_missing():
    for path in (ROOT / "tools" / "tests").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        at_once = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        lacking = list(lacking_names(ast.unparse(ast.Module(at_once, [])), "win32"))
        # watching is imported where a test file has not skipped itself
        assert not lacking or path.name == "watching.py", f"{path.name} imports {lacking}"


def test_a_name_that_a_system_lacks_is_found():
    source = "import fcntl, os\nfrom signal import SIGKILL, SIGTERM\nos.fork()\nos.getpid()\n"
    assert list(lacking_names(source, "win32")) == ["fcntl", "SIGKILL", "os.fork"]
    assert list(lacking_names(source, "darwin")) == []
    assert list(lacking_names("import os\nos.sched_getaffinity(0)", "darwin"))


def test_mypy_reports_what_a_system_lacks_and_accepts_a_guard(tmp_path):
    """A defect made on purpose, for the part of validate that runs mypy as on each system."""
    (tmp_path / "defect.py").write_text(
        "import os, signal, sys\n"
        "def bare() -> None:\n"
        "    os.killpg(1, signal.SIGKILL)\n"
        "def guarded() -> int:\n"
        "    if sys.platform == 'win32':\n"
        "        return 0\n"
        "    return os.getuid()\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--config-file", os.devnull]
    found = {}
    for system in ("linux", "win32"):
        done = subprocess.run(
            [*command, "--cache-dir", str(tmp_path), "--platform", system, "defect.py"],
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        found[system] = parts.type_problems(system, done.returncode, done.stdout)
    assert found["linux"] == []
    assert re.findall(r"defect.py:(\d+)", found["win32"][0]) == ["3", "3"]


@pytest.mark.parametrize(
    ("system", "code", "output", "is_fine"),
    [
        ("win32", 0, "", True),
        ("win32", 1, "tools/dojo/cli.py:3: error: no SIGHUP", False),
        ("win32", 1, "tools\\dojo\\grade\\sandbox\\host.py:3: error: no fork", True),
        ("linux", 1, "tools/dojo/grade/sandbox/host.py:3: error: no fork", False),
        ("win32", 2, "tools/dojo/grade/sandbox/host.py:3: error: syntax", False),
        ("win32", 1, "", False),
        ("darwin", -9, "", False),
    ],
)
def test_only_the_sandbox_may_lack_something_and_only_elsewhere(system, code, output, is_fine):
    assert (parts.type_problems(system, code, output) == []) == is_fine


# --- text


def without_encoding(source: str) -> Iterator[int]:
    """The lines that read or write text in whatever encoding the system chooses. ruff's PLW1514
    finds those where it knows the type; subprocess it does not know.
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        places = {"read_text": 0, "write_text": 1}
        is_text = name in places and len(node.args) <= places[name]
        for flag in ("text", "universal_newlines"):
            is_text |= isinstance(given.get(flag), ast.Constant) and given[flag].value is True
        if is_text and "encoding" not in given and None not in given:
            yield node.lineno


def test_text_is_read_and_written_in_an_encoding_that_is_named():
    # whose learners read a file of numbers, by the shortest code
    allowed = "k16_data_pipeline.py"
    found = {
        f"{path.relative_to(ROOT).as_posix()}:{line}"
        for path in FILES
        if not path.name.endswith(allowed)
        for line in without_encoding(path.read_text(encoding="utf-8"))
    }
    assert found == set()


@pytest.mark.parametrize(
    "code",
    ["(folder / 'a').read_text()", "path.write_text(text)", "run(['git'], check=True, text=True)"],
)
def test_text_without_an_encoding_is_found(code):
    assert list(without_encoding(code)) == [1]


def test_every_file_is_checked_out_with_the_same_line_ends():
    assert "* text=auto eol=lf" in (ROOT / ".gitattributes").read_text(encoding="utf-8")


def test_no_two_files_differ_by_case_alone_and_no_name_is_refused_by_windows():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    ).stdout.split("\0")
    assert len({name.casefold() for name in listed}) == len(listed)
    reserved = re.compile(r'[<>:"|?*\\]|(^|/)(con|prn|aux|nul|com\d|lpt\d)(\.|/|$)|[. ](/|$)', re.I)
    assert [name for name in listed if reserved.search(name)] == []


# --- what Windows does otherwise


@pytest.fixture
def on_windows(monkeypatch):
    """Python says that this is Windows; `sys` is one module for all."""
    monkeypatch.setattr(sys, "platform", "win32")


def test_a_file_that_a_scanner_looks_into_is_replaced_when_it_is_free(
    tmp_path, monkeypatch, on_windows
):
    refusals, replace = [PermissionError(13, "Access is denied")] * 2, Path.replace

    def refusing(path: Path, target: Path) -> Path:
        if refusals:
            raise refusals.pop()
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", refusing)
    monkeypatch.setattr(files.time, "sleep", lambda seconds: None)
    files.write_whole(tmp_path / "state", "new")
    assert [(path.name, path.read_text("utf-8")) for path in tmp_path.iterdir()] == [
        ("state", "new")
    ]


@pytest.mark.parametrize("platform", ["win32", "linux"])
def test_a_file_that_is_never_free_is_an_error_and_leaves_the_old_one(
    tmp_path, monkeypatch, platform
):
    tries = []

    def refusing(path: Path, target: Path) -> Path:
        tries.append(path)
        raise PermissionError(13, "Access is denied")

    (tmp_path / "state").write_text("old", "utf-8")
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "replace", refusing)
    monkeypatch.setattr(files, "SECONDS_TO_PUT", 0.05)
    with pytest.raises(PermissionError):
        files.write_whole(tmp_path / "state", "new")
    assert (len(tries) > 1) == (platform == "win32")
    assert [path.read_text("utf-8") for path in tmp_path.iterdir()] == ["old"]


def test_ctrl_c_is_left_to_the_command_that_goes_on_in_another_python(monkeypatch, on_windows):
    """Else this process would kill it after a quarter of a second, and speak of the setup."""
    heard = []

    def run(command, check):
        heard.append(signal.getsignal(signal.SIGINT))
        return subprocess.CompletedProcess(command, 130)

    monkeypatch.setattr(entering.subprocess, "run", run)
    with pytest.raises(SystemExit, match="130"):  # what listens is put back by a fixture
        entering.go_on_in(Path("python.exe"))
    assert heard == [signal.SIG_IGN]


def test_an_old_console_is_told_to_obey_control_codes(monkeypatch, on_windows):
    told = []
    colorama = types.ModuleType("colorama")
    colorama.just_fix_windows_console = lambda: told.append(True)
    monkeypatch.setitem(sys.modules, "colorama", colorama)
    console.screen()
    assert told == [True]


def test_keys_of_windows_have_their_names_and_a_smiley_ends_nothing(monkeypatch):
    typed = iter(["\ud83d", "\ude00", "\xe0", "H", "\x00", "P", "\xe0", "?", "N", " ", "\x03"])
    msvcrt = types.ModuleType("msvcrt")
    msvcrt.getwch = lambda: next(typed)
    monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)
    heard = []
    terminal.Keys(heard.append, lambda: heard.append("the end"))._read_windows()
    assert heard == ["up", "down", "n", "space", "the end"]


def test_the_learners_folder_is_known_by_each_of_its_names(tmp_path):
    other = tmp_path / "Katas"  # where case does not count this is one; here a link is
    other.symlink_to(ROOT / "katas")
    assert running.find_target(str(other)) == ROOT / "katas"
    assert running.find_target(str(tmp_path)) == tmp_path.resolve()


LOOP = """
import os, sys, time
sys.path[:0] = ["tools", "."]
from pathlib import Path
from dojo.processes import worker

class Loop(worker.Job, frozen=True, tag="loop"):
    def run(self, connection, is_early=False):
        connection.send_bytes(str(os.getpid()).encode())
        while True:
            pass

if __name__ == "__main__":
    process = worker.Plain().start(Loop(), Path(sys.argv[1]))
    print(process.channel.receive(180).decode(), flush=True)
    sys.stdin.read()
"""


@linux
@pytest.mark.timeout(300)
def test_without_a_fork_an_endless_loop_ends_with_who_started_it(tmp_path):
    (tmp_path / "owner.py").write_text(LOOP, "utf-8")
    command = [sys.executable, tmp_path / "owner.py", tmp_path / "log"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=as_on("darwin", tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as owner:
        child = int(owner.stdout.readline())
        assert lives(child)
        owner.kill()
    until(lambda: not lives(child))


# --- a pipe of Windows, with one of Linux in its place


@pytest.fixture
def pipe():
    from multiprocessing import Pipe

    ours, theirs = Pipe()
    with ours, theirs:
        yield PipeChannel(ours, most_in_all=100), theirs


def test_messages_go_both_ways_the_empty_one_too(pipe):
    channel, theirs = pipe
    with pytest.raises(BlockingIOError):
        channel.recv_bytes()
    for message in (b"a question", b""):
        channel.send(message, 10)
        assert theirs.recv_bytes() == message
        theirs.send_bytes(message)
        assert channel.receive(10) == message


def test_silence_ends_and_so_does_a_message_that_nobody_reads(pipe):
    channel, _ = pipe
    with pytest.raises(TimeoutError):
        channel.receive(0.01)
    with pytest.raises(TimeoutError):
        channel.send(bytes(10_000_000), 0.01)


def test_a_message_that_is_too_large_and_all_together_are_refused(pipe):
    channel, theirs = pipe
    theirs.send_bytes(bytes(60))
    assert len(channel.receive(10)) == 60
    theirs.send_bytes(bytes(60))
    with pytest.raises(TooLarge):
        channel.receive(10)


def test_the_other_side_s_end_is_noticed(pipe):
    channel, theirs = pipe
    theirs.close()
    with pytest.raises((EOFError, OSError)):
        channel.receive(10)
    with pytest.raises(OSError):
        channel.send(b"a question", 10)


# --- the commands


@pytest.fixture(scope="module", params=SYSTEMS)
def system(request, tmp_path_factory):
    """Runs a command of tools/ as on this system."""
    folder = tmp_path_factory.mktemp(request.param)
    with tempfile.TemporaryDirectory(prefix="tk", dir="/tmp") as runtime:
        environment = as_on(request.param, folder)
        environment["TORCH_KATAS_PROGRESS"] = str(folder / "progress.json")
        environment["XDG_RUNTIME_DIR"] = runtime

        def run(tool: str, *arguments: object) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, str(ROOT / "tools" / tool), *map(str, arguments)],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                encoding="utf-8",
                stdin=subprocess.DEVNULL,
                check=False,
            )

        yield run


@pytest.fixture(scope="module")
def mixed(tmp_path_factory, catalog) -> Path:
    """A folder with katas that are right, wrong, not begun, no Python, and end their process."""
    folder = tmp_path_factory.mktemp("mixed")
    for kata in catalog.katas[:6]:
        (folder / f"{kata.name}.py").write_text(kata.reference_text(), encoding="utf-8")
    k02, k03, k06 = (catalog.find(name) for name in ("k02", "k03", "k06"))
    (folder / f"{k02.name}.py").write_text("import os\nos._exit(5)\n", encoding="utf-8")
    (folder / f"{k03.name}.py").write_text("1 +\n", encoding="utf-8")
    wrong = k06.reference_text().replace("self.sigmoid(self.linear(x))", "self.linear(x)")
    (folder / f"{k06.name}.py").write_text(wrong, encoding="utf-8")
    return folder


def timeless(node: object) -> object:
    """A JSON document without the seconds in it."""
    if isinstance(node, dict):
        return {name: timeless(value) for name, value in node.items() if name != "seconds"}
    return [timeless(each) for each in node] if isinstance(node, list) else node


@linux
def test_light_commands(system):
    shown = system("check", "list")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "k06  Logistic regression" in shown.stdout
    shown = system("check", "hint", "k06")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "k06" in shown.stdout
    assert system("check", "compare", "k06").returncode == 2
    assert system("check", "--watch").stderr.startswith("--watch needs a terminal")


@linux
@pytest.mark.timeout(600)  # each child imports everything
def test_verdicts_are_those_of_this_system(system, mixed):
    from test_check import check

    katas = ["k01", "k02", "k03", "k06"]  # so many that a child takes several
    there = system("check", *katas, "--target", mixed, "--json")
    here = check(*katas, "--target", str(mixed), "--json")
    assert there.stderr == ""
    assert timeless(json.loads(there.stdout)) == timeless(json.loads(here.stdout))
    outcomes = [kata["outcome"] for kata in json.loads(there.stdout)["katas"]]
    assert outcomes == ["passed", "failed", "failed", "failed"]
    assert there.returncode == here.returncode == 1


@linux
@pytest.mark.timeout(600)
def test_grading_needs_linux_or_a_word_that_it_may_go_without_a_sandbox(system, tmp_path, catalog):
    kata = catalog.find("k01")
    for name, text in (("ann", kata.reference_text()), ("bob", "import os\nos._exit(0)\n")):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / f"{kata.name}.py").write_text(text, encoding="utf-8")
    grading = ["grade", tmp_path / "in", "--out", tmp_path / "out", "--katas", "k01"]
    refused = system(*grading)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1 and "only Linux" in refused.stderr
    assert "--no-sandbox" in refused.stderr
    done = system(*grading, "--no-sandbox")
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "out" / "grades.csv").read_text(encoding="utf-8").splitlines()
    most = sum(task.points for task in kata.tasks)
    assert rows[1:] == [f"ann,{most},{most},not isolated,{most}", f"bob,0,{most},not isolated,0"]


@linux
@pytest.mark.timeout(900)
def test_watch_mode_answers_saves_and_keys_as_on_windows(clone, tmp_path, monkeypatch):
    from watching import Watching

    for name, value in as_on("win32", tmp_path).items():
        monkeypatch.setenv(name, value)
    session = Watching(clone, "k06", keys_at_once=True)
    try:
        session.sees("k06  Logistic regression", "q quit")
        session.fails()
        session.press("l")
        session.sees("k00", "k01")
        assert session.end(lambda: session.press("\x03")) == 0
    finally:
        if session.code is None:
            session.end(session.kill)
