import msgspec

from inference.repository.downloads.progress import FetchProgress, FileProgress, SpeedMeter


def test_it_counts_each_file_and_all() -> None:
    reports: list[FetchProgress] = []
    meter = SpeedMeter({"a": 10, "b": 20}, reports.append)
    meter.begin("a", 4)
    meter.add("a", 6)
    assert reports[-1].files == (
        FileProgress(name="a", done=10, size=10),
        FileProgress(name="b", done=0, size=20),
    )
    assert (reports[-1].done, reports[-1].size) == (10, 30)


def test_the_end_of_a_file_is_always_reported() -> None:
    reports: list[FetchProgress] = []
    meter = SpeedMeter({"a": 1000}, reports.append)
    for _ in range(1000):
        meter.add("a", 1)
    assert reports[-1].done == 1000 and len(reports) < 1000


def test_the_speed_is_that_of_the_network() -> None:
    reports: list[FetchProgress] = []
    meter = SpeedMeter({"a": 10**12, "b": 1000}, reports.append)
    meter.begin("a", 10**12)  # there since the last time
    assert reports[-1].bytes_per_s == 0
    meter.add("b", 1000)
    assert reports[-1].bytes_per_s > 0


def test_a_note_is_reported_at_once_and_once() -> None:
    reports: list[FetchProgress] = []
    meter = SpeedMeter({"a": 1}, reports.append)
    meter.report(note="The hub is busy.")
    meter.add("a", 1)
    assert [progress.note for progress in reports] == ["The hub is busy.", ""]


def test_it_travels_as_json() -> None:
    progress = FetchProgress(files=(FileProgress(name="a", done=1, size=2),), bytes_per_s=1.5, note="x")
    assert msgspec.json.decode(msgspec.json.encode(progress), type=FetchProgress) == progress
